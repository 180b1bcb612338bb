import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, open, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, describe, test } from 'node:test'
import { crc32 } from 'node:zlib'
import yauzl from 'yauzl'
import { readZip } from '../tenant-exports.fixture.ts'
import { openSpool } from './spool.ts'
import { createZip, type Zip } from './zip.ts'
import { descriptor, directoryRecord, dosTime, endOfZip, fileHeader } from './zip-records.ts'

const AT = Date.UTC(2026, 1, 28, 13, 45, 59)
const GiB = 1024 ** 3

async function zipped(fill: (zip: Zip) => Promise<unknown>): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  const zip = await createZip(async (bytes) => void pieces.push(Buffer.from(bytes)), AT)
  await fill(zip)
  await zip.finish()
  await zip.close()
  return Buffer.concat(pieces)
}

async function* pieces(...all: (string | Uint8Array)[]) {
  for (const each of all) yield Buffer.from(each)
}

describe('a ZIP file', () => {
  let folder = ''
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'zip-test-'))
  })
  after(() => rm(folder, { recursive: true, force: true }))

  test('has what was added, in its order, under names of any script', async () => {
    const bytes = randomBytes(300_000)
    const sums: unknown[] = []
    const zip = await zipped(async (zip) => {
      sums.push(await zip.add('a/lines.ndjson', pieces('one\n', 'two\n'), { isCompressed: true }))
      sums.push(
        await zip.add('a/食べ物 🍣.bin', pieces(bytes.subarray(0, 7), bytes.subarray(7)), { isCompressed: false }),
      )
      await zip.add('empty', pieces(), { isCompressed: true })
      await zip.add('nothing', pieces(), { isCompressed: false })
    })
    const entries = await readZip(zip)
    assert.deepEqual([...entries.keys()], ['a/lines.ndjson', 'a/食べ物 🍣.bin', 'empty', 'nothing'])
    assert.equal(String(entries.get('a/lines.ndjson')), 'one\ntwo\n')
    assert.ok(entries.get('a/食べ物 🍣.bin')?.equals(bytes))
    assert.equal(entries.get('empty')?.length, 0)
    assert.deepEqual(sums, [sumOf('one\ntwo\n'), sumOf(bytes)])
  })

  test('of more entries than 16 bits count is read to its end', async () => {
    const count = 70_000
    const parts: Buffer[] = []
    const records: Buffer[] = []
    let offset = 0
    for (let at = 0; at < count; at++) {
      const entry = {
        name: Buffer.from(`e${at}`),
        isCompressed: false,
        offset,
        crc: 0,
        packed: 0,
        bytes: 0,
        ...dosTime(AT),
      }
      const both = [fileHeader(entry), descriptor(entry)]
      parts.push(...both)
      records.push(directoryRecord(entry))
      offset += both.reduce((sum, { length }) => sum + length, 0)
    }
    const directory = Buffer.concat(records)
    const path = join(folder, 'many.zip')
    await writeFile(
      path,
      Buffer.concat([...parts, directory, endOfZip({ entries: count, bytes: directory.length, offset })]),
    )
    assert.deepEqual((await listed(path)).length, count)
  })

  test('may have entries beyond 4 GiB', async () => {
    const path = join(folder, 'large.zip')
    const file = await open(path, 'w')
    const { time, date } = dosTime(AT)
    const common = { isCompressed: false, time, date }
    const large = { ...common, name: Buffer.from('large'), offset: 0, crc: 0, packed: 5 * GiB, bytes: 5 * GiB }
    let position = 0
    const put = async (bytes: Buffer) => {
      await file.write(bytes, 0, bytes.length, position)
      position += bytes.length
    }
    await put(fileHeader(large))
    // A hole in the file: nothing is written of it.
    position += large.bytes
    await put(descriptor(large))
    const content = Buffer.from('behind it')
    const sizes = { crc: crc32(content), packed: content.length, bytes: content.length }
    const small = { ...common, name: Buffer.from('small'), offset: position, ...sizes }
    await put(fileHeader(small))
    await put(content)
    await put(descriptor(small))
    const offset = position
    const directory = Buffer.concat([directoryRecord(large), directoryRecord(small)])
    await put(directory)
    await put(endOfZip({ entries: 2, bytes: directory.length, offset }))
    await file.close()
    assert.deepEqual(await listed(path), [
      ['large', 5 * GiB],
      ['small', content.length],
    ])
    assert.equal(await contentOf(path, 'small'), 'behind it')
  })

  test('ends with the failure of what was to be added, and leaves nothing open', async () => {
    const before = await spoolsIn(tmpdir())
    const zip = await createZip(async () => {}, AT)
    async function* failing() {
      yield Buffer.from('x')
      throw new Error('the disk is gone')
    }
    await assert.rejects(zip.add('x', failing(), { isCompressed: true }), /the disk is gone/)
    await assert.rejects(zip.add('x', failing(), { isCompressed: false }), /the disk is gone/)
    await zip.close()
    assert.deepEqual(await spoolsIn(tmpdir()), before)
  })
})

describe('a spool', () => {
  test('gives what was put aside, and has no name on the disk', async () => {
    const spool = await openSpool()
    const whole = randomBytes(1_000_003)
    for (let at = 0; at < whole.length; at += 12_345) await spool.append(whole.subarray(at, at + 12_345))
    const read: Buffer[] = []
    for await (const piece of spool.read()) read.push(piece)
    assert.ok(Buffer.concat(read).equals(whole))
    await spool.close()
  })
})

const sumOf = (content: string | Buffer) => ({
  bytes: content.length,
  sha256: createHash('sha256').update(content).digest('hex'),
})

/** Names and sizes, without the content. */
function listed(path: string): Promise<[string, number][]> {
  return new Promise((resolve, reject) =>
    yauzl.open(path, { lazyEntries: false }, (error, zip) => {
      if (error) return reject(error)
      const found: [string, number][] = []
      zip.on('entry', ({ fileName, uncompressedSize }: yauzl.Entry) => found.push([fileName, uncompressedSize]))
      zip.on('error', reject)
      zip.on('end', () => resolve(found))
    }),
  )
}

/** What an entry holds. */
function contentOf(path: string, name: string): Promise<string> {
  return new Promise((resolve, reject) =>
    yauzl.open(path, { lazyEntries: false, autoClose: true }, (error, zip) => {
      if (error) return reject(error)
      zip.on('error', reject)
      zip.on('entry', (entry: yauzl.Entry) => {
        if (entry.fileName !== name) return
        zip.openReadStream(entry, (error, content) => (error ? reject(error) : text(content).then(resolve, reject)))
      })
    }),
  )
}

const spoolsIn = async (folder: string) => (await readdir(folder)).filter((name) => name.startsWith('tenantry-spool-'))
