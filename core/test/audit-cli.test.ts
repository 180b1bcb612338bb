import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { keysFromSeeds } from '../src/modules/audit/seals/checkpoint-keys.ts'
import { makeProof } from '../src/modules/audit/seals/proof.fixture.ts'
import { cleanUp, makeFolder } from './run-cli.ts'
import { runInProcess } from './run-in-process.ts'

const PROGRAM = fileURLToPath(new URL('../bin/tenantry.js', import.meta.url))
const keys = keysFromSeeds([Buffer.alloc(32, 1)])
const key = keys.all[0]?.public_key
const [stranger] = keysFromSeeds([Buffer.alloc(32, 2)]).all
const lines = [...makeProof(keys, { blocks: 3, records: 50 })]
const text = lines.map((line) => `${line}\n`).join('')
let cwd: string
before(async () => {
  cwd = await makeFolder()
  await write('good.ndjson', text)
})
after(cleanUp)

const write = (name: string, content: string | Buffer) => writeFile(join(cwd, name), content)
const verify = (args: string) => runInProcess(`audit verify ${args}`, { cwd })

describe('tenantry audit verify', () => {
  test('says that a file is valid, what it covers and who signed it', async () => {
    const { code, out, err } = await verify(`good.ndjson --key ${key}`)
    assert.deepEqual([code, err], [0, ''])
    assert.match(out, /^Valid: 150 records of the tenant 01926f3c-7b1e-7cc3-98c4-dc0c0c07398f .* 3 seals/)
    assert.match(out, /^ {2}Positions +1 to 150$/m)
    assert.ok(out.includes(`${keys.all[0]?.key_id} (${key})`))
    assert.doesNotMatch(out, /Warning/)
  })

  test('takes an empty line at the end, where what fetched the file left one, and nowhere else', async () => {
    await write('ended.ndjson', `${text}\n`)
    assert.equal((await verify(`ended.ndjson --key ${key}`)).code, 0)
    await write('torn.ndjson', text.replace('\n', '\n\n'))
    const { code, out } = await verify(`torn.ndjson --key ${key}`)
    assert.equal(code, 1)
    assert.match(out, /line 3/)
  })

  test('warns when nobody told it the key', async () => {
    const { code, out } = await verify('good.ndjson')
    assert.equal(code, 0)
    assert.match(out, /^Warning: the key was taken from the file itself/m)
  })

  test('names what is wrong first, with its line', async () => {
    await write('bad.ndjson', text.replace('"resource_id":"77"', '"resource_id":"78"'))
    const { code, out, err } = await verify(`bad.ndjson --key ${key}`)
    assert.deepEqual([code, err], [1, ''])
    assert.match(
      out,
      /^Not valid: the record 01926f3c-7b1e-7000-8000-00000000004d was changed \(position 77, line 78\)\./,
    )
    assert.match(out, /^ {2}Right so far +50 records$/m)
  })

  test('takes one of several keys, and refuses all others', async () => {
    assert.equal((await verify(`--key ${stranger?.public_key} good.ndjson --key ${key}`)).code, 0)
    const { code, out } = await verify(`good.ndjson --key ${stranger?.public_key}`)
    assert.equal(code, 1)
    assert.match(out, /which is none of those given/)
  })

  test('reads what is compressed, and standard input', async () => {
    await write('good.ndjson.gz', gzipSync(text))
    assert.equal((await verify(`good.ndjson.gz --key ${key}`)).code, 0)
    assert.equal(await verifyPiped(text), 0)
    assert.equal(await verifyPiped(gzipSync(text).subarray(0, 1_000)), 2)
    const inputs: [input: string | Buffer, code: number][] = [
      [gzipSync(text), 0],
      [gzipSync(text).subarray(0, 1_000), 2],
      [Buffer.from([0x1f, 0x8b, 1, 2, 3]), 2],
      [text.slice(0, -500), 1],
      ['', 1],
    ]
    for (const [input, code] of inputs)
      assert.equal((await runInProcess(`audit verify - --key ${key}`, { input })).code, code)
  })

  test('takes a file that begins later in the chain', async () => {
    await write('later.ndjson', lines.slice(51).join('\n'))
    const { code, out } = await verify(`later.ndjson --key ${key}`)
    assert.equal(code, 0, out)
    assert.match(out, /^ {2}Positions +51 to 150$/m)
  })

  test('refuses what is no command with 2', async () => {
    for (const args of ['', 'missing.ndjson', '.', 'good.ndjson good.ndjson', 'good.ndjson --key short', '--loud']) {
      const { code, out, err } = await verify(args)
      assert.deepEqual([code, out], [2, ''], args)
      assert.match(err, /^tenantry audit verify: .* See: tenantry audit verify --help\n$/)
    }
    assert.equal((await runInProcess('audit')).code, 2)
    assert.equal((await runInProcess('audit --help')).code, 0)
  })
})

/** By a process of its own, into which the input is piped. */
async function verifyPiped(content: string | Buffer): Promise<number> {
  const child = spawn(process.execPath, [PROGRAM, 'audit', 'verify', '-', '--key', String(key)], {
    env: { PATH: process.env.PATH },
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  child.stdin.on('error', () => {}) // it may have seen enough
  child.stdin.end(content)
  const [code] = await once(child, 'close')
  return code
}
