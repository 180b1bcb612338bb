import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { createLocalStorage } from './local.ts'
import { FileMissing, type FileStorage, InvalidFileKey, type StoredFile } from './storage.ts'

let dataDir: string
let root: string
let storage: FileStorage
before(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'storage-'))
  root = join(dataDir, 'files')
  storage = createLocalStorage(root)
})
after(() => rm(dataDir, { recursive: true, force: true }))

async function* pieces(...texts: (string | Error)[]) {
  for (const text of texts) {
    if (text instanceof Error) throw text
    yield Buffer.from(text)
  }
}

const read = async (key: string) => Buffer.concat(await storage.read(key).toArray()).toString()
async function listed(from: FileStorage, folder: string) {
  const files: StoredFile[] = []
  for await (const file of from.list(folder)) files.push(file)
  return files
}
const keys = async (from: FileStorage, folder: string) => (await listed(from, folder)).map(({ key }) => key)

describe('a file', () => {
  test('is read as it was written, and replaced whole', async () => {
    assert.deepEqual(await storage.write('notes/one.txt', pieces('first ', 'text')), { bytes: 10 })
    assert.equal(await read('notes/one.txt'), 'first text')
    assert.deepEqual(await storage.write('notes/one.txt', pieces('next')), { bytes: 4 })
    assert.equal(await read('notes/one.txt'), 'next')
    assert.equal(await storage.has('notes/one.txt'), true)
  })

  test('of no bytes is a file', async () => {
    assert.deepEqual(await storage.write('notes/empty', pieces()), { bytes: 0 })
    assert.equal(await read('notes/empty'), '')
  })

  test('that is not there is told by name, wherever one looks', async () => {
    for (const key of ['nothing', 'notes/nothing', 'notes/one.txt/below']) {
      assert.equal(await storage.has(key), false)
      await assert.rejects(read(key), (error) => error instanceof FileMissing && error.key === key)
      await storage.delete(key)
    }
    assert.equal(await storage.has('notes'), false, 'a folder is no file')
  })

  test('is gone when it was deleted', async () => {
    await storage.write('gone/one', pieces('x'))
    await storage.delete('gone/one')
    assert.equal(await storage.has('gone/one'), false)
    assert.deepEqual(await keys(storage, 'gone'), [])
  })

  test('is for the eyes of its own user alone', { skip: process.platform === 'win32' }, async () => {
    await storage.write('closed/deep/one', pieces('x'))
    const mode = async (path: string) => ((await stat(join(root, path))).mode & 0o777).toString(8)
    assert.deepEqual(await Promise.all(['.', 'closed', 'closed/deep', '.partial', 'closed/deep/one'].map(mode)), [
      '700',
      '700',
      '700',
      '700',
      '600',
    ])
  })
})

describe('what goes wrong', () => {
  test('in the middle of writing leaves what was there, and nothing beside it', async () => {
    await storage.write('kept', pieces('whole'))
    await assert.rejects(storage.write('kept', pieces('half', new Error('the source broke'))), /the source broke/)
    await assert.rejects(storage.write('never', pieces('half', new Error('the source broke'))), /the source broke/)
    assert.equal(await read('kept'), 'whole')
    assert.equal(await storage.has('never'), false)
    assert.deepEqual(await readdir(join(root, '.partial')), [])
  })

  test('in place of a folder is refused and leaves nothing', async () => {
    await storage.write('a-folder/one', pieces('x'))
    await assert.rejects(storage.write('a-folder', pieces('x')))
    assert.equal(await read('a-folder/one'), 'x')
    assert.deepEqual(await readdir(join(root, '.partial')), [])
  })

  test('with the process leaves what was there; the remains go a day later', async () => {
    await storage.write('survivor', pieces('whole'))
    const script = `
      import { createLocalStorage } from ${JSON.stringify(new URL('./local.ts', import.meta.url).href)}
      async function* endless() {
        yield Buffer.alloc(200_000)
        console.log('writing')
        await new Promise((resolve) => setTimeout(resolve, 60_000))
      }
      await createLocalStorage(${JSON.stringify(root)}).write('survivor', endless())`
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(child.stdout, 'data')
    child.kill('SIGKILL')
    await once(child, 'exit')
    assert.equal(await read('survivor'), 'whole')
    const [left = '', ...others] = await readdir(join(root, '.partial'))
    assert.deepEqual([left === '', others], [false, []])
    await storage.write('another', pieces('x'))
    assert.deepEqual(await readdir(join(root, '.partial')), [left], 'it might be at work')
    const longAgo = new Date(Date.now() - 25 * 60 * 60 * 1000)
    await utimes(join(root, '.partial', left), longAgo, longAgo)
    await storage.write('another', pieces('x'))
    assert.deepEqual(await readdir(join(root, '.partial')), [])
  })
})

describe('keys', () => {
  const HOSTILE = [
    '',
    '/',
    '.',
    '..',
    '../x',
    'a/../b',
    'a/..',
    '/etc/passwd',
    'a//b',
    'a/',
    './a',
    'a/./b',
    '.partial/x',
    'a/.hidden',
    'A',
    'a b',
    'a\\b',
    'a\0b',
    'a\n',
    'ä',
    'a%2e%2e/b',
    'c:/x',
    'x'.repeat(201),
    Array.from({ length: 100 }, () => 'segment').join('/'),
  ]

  test('that lead elsewhere are refused everywhere', async () => {
    for (const key of HOSTILE) {
      await assert.rejects(storage.write(key, pieces('x')), InvalidFileKey, key)
      await assert.rejects(storage.has(key), InvalidFileKey, key)
      await assert.rejects(storage.delete(key), InvalidFileKey, key)
      assert.throws(() => storage.read(key), InvalidFileKey, key)
      if (key !== '') assert.throws(() => storage.list(key), InvalidFileKey, key)
    }
  })

  test('are listed below a folder, with sizes, and without what is not whole', async () => {
    const own = createLocalStorage(join(dataDir, 'listing'))
    assert.deepEqual(await listed(own, ''), [])
    for (const key of ['b/two', 'b/one', 'a', 'b/c/deep', 'bb/x']) await own.write(key, pieces(key))
    await mkdir(join(dataDir, 'listing/.partial'), { recursive: true })
    await writeFile(join(dataDir, 'listing/.partial/half'), 'x')
    assert.deepEqual(await keys(own, ''), ['a', 'b/c/deep', 'b/one', 'b/two', 'bb/x'])
    assert.deepEqual(await listed(own, 'b/c'), [{ key: 'b/c/deep', bytes: 8 }])
    assert.deepEqual(await keys(own, 'b'), ['b/c/deep', 'b/one', 'b/two'])
    assert.deepEqual(await keys(own, 'nothing'), [])
  })
})

test('two who write the same file both succeed, and one of them is there', async () => {
  const texts = Array.from({ length: 20 }, (_, n) => `${n}`.repeat(1000))
  await Promise.all(texts.map((text) => storage.write('raced', pieces(text))))
  assert.ok(texts.includes(await readFile(join(root, 'raced'), 'utf8')))
})
