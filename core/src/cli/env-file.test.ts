import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { ConfigError } from '../kernel/config/config.ts'
import { readEnvFile } from './env-file.ts'

let root: string
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'env-file-'))
})
after(() => rm(root, { recursive: true }))

let files = 0
async function written(content: string | Uint8Array): Promise<string> {
  const path = join(root, `${++files}.env`)
  await writeFile(path, content)
  return path
}

const read = async (content: string | Uint8Array) => readEnvFile(await written(content))

/** What is wrong with a file, without its path. */
async function problemsOf(content: string | Uint8Array): Promise<string[]> {
  const path = await written(content)
  try {
    readEnvFile(path)
    return []
  } catch (error) {
    assert.ok(error instanceof ConfigError)
    assert.doesNotMatch(error.message, /hunter2/, 'no value is shown')
    return error.problems.map((problem) => problem.replace(path, '.env'))
  }
}

test('settings are read as they are written anywhere', async () => {
  const expected = { NODE_ENV: 'production', LOG_LEVEL: 'info' }
  for (const text of [
    'NODE_ENV=production\nLOG_LEVEL=info',
    '\ufeffNODE_ENV=production\nLOG_LEVEL=info\n',
    '\ufeff# a comment\r\n\r\nNODE_ENV=production\r\nLOG_LEVEL=info\r\n',
    'NODE_ENV=production\rLOG_LEVEL=info\r',
    '  export NODE_ENV = "production" # why\n\tLOG_LEVEL=\'info\'\n',
  ])
    assert.deepEqual({ ...(await read(text)) }, expected, JSON.stringify(text))
  assert.deepEqual({ ...(await read('A="one\ntwo"\nB=')) }, { A: 'one\ntwo', B: '' })
  assert.deepEqual(readEnvFile(join(root, 'none')), {})
})

test('what is not UTF-8 is refused, not passed over', async () => {
  const wide = Buffer.from('\ufeffAPP_SECRET=hunter2\r\n', 'utf16le')
  for (const bytes of [wide, Buffer.from(wide).swap16(), wide.subarray(2)])
    assert.deepEqual(await problemsOf(bytes), [
      '.env, line 1: this is UTF-16 or no text at all. Save the file as UTF-8.',
    ])
  const latin = Buffer.from('A=1\nAPP_SECRET=hunter2\xe4\n', 'latin1')
  assert.deepEqual(await problemsOf(latin), ['.env, line 2: this is not UTF-8. Save the file as UTF-8.'])
})

test('every line that is no setting is named', async () => {
  const text = 'A=1\nhunter2\n# fine\nNODE_ENV production\n=hunter2\nB="one\ntwo"\nC="x" hunter2\nD="hunter2\nE=1\n'
  assert.deepEqual(await problemsOf(text), [
    '.env, line 2: this is neither a comment nor NAME=value.',
    '.env, line 4: this is neither a comment nor NAME=value.',
    '.env, line 5: this is neither a comment nor NAME=value.',
    '.env, line 8: something stands after the quotation mark.',
    '.env, line 9: the quotation mark is never closed.',
  ])
})

test('a space that is none, or a mark in the middle, does not hide a setting', async () => {
  for (const line of ['NODE_ENV\u00a0=production', '\ufeffNODE_ENV=production', '\u00a0NODE_ENV=production'])
    assert.deepEqual(await problemsOf(`A=1\n${line}\n`), ['.env, line 2: this is neither a comment nor NAME=value.'])
})

test('a folder of that name is told apart', async () => {
  const path = join(root, 'folder.env')
  await mkdir(path)
  assert.throws(() => readEnvFile(path), /folder\.env is a folder, as a container makes one/)
})
