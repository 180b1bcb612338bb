import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { after, before, describe, test } from 'node:test'
import { openStored } from './open-stored.ts'
import { FileMissing, type FileStorage, InvalidFileKey, type StoredFile } from './storage.ts'

/** A back end under test. */
export interface Peer {
  storage: FileStorage
  /** An expression that makes the same storage in another process, and what it imports. */
  inChild: { imports: string; expression: string }
  /** Puts a file of one byte there for each key. */
  seed(keys: readonly string[]): Promise<void>
  /** The size of a file that cannot be held in memory unnoticed. */
  largeMib: number
  /** How many unfinished files there are behind the keys. */
  unfinished(): Promise<number>
  close(): Promise<void>
}

const MIB = 1024 * 1024

export async function* pieces(...contents: (string | Buffer | Error)[]) {
  for (const content of contents) {
    if (content instanceof Error) throw content
    yield Buffer.from(content)
  }
}

export const sha256 = (content: Buffer | string) => createHash('sha256').update(content).digest('hex')
const read = async (from: FileStorage, key: string) => Buffer.concat(await from.read(key).toArray())
const text = async (from: FileStorage, key: string) => `${await read(from, key)}`

export async function listed(from: FileStorage, folder: string): Promise<StoredFile[]> {
  const files: StoredFile[] = []
  for await (const file of from.list(folder)) files.push(file)
  return files
}
export const keysIn = async (from: FileStorage, folder: string) => (await listed(from, folder)).map(({ key }) => key)

export const HOSTILE = [
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

/** Runs a script in a process of its own, which has the storage as `storage`. */
export function inChild({ inChild: { imports, expression } }: Peer, script: string) {
  const source = `${imports}\nconst storage = ${expression}\n${script}`
  return spawn(process.execPath, ['--input-type=module', '-e', source], { stdio: ['ignore', 'pipe', 'inherit'] })
}

/** What every storage of files keeps. */
export function describeStorage(name: string, start: () => Promise<Peer>): void {
  describe(`files ${name}`, () => {
    let peer: Peer
    let storage: FileStorage
    before(async () => {
      peer = await start()
      storage = peer.storage
    })
    after(() => peer.close())

    for (const [size, bytes] of [
      ['no bytes', 0],
      ['one byte', 1],
      ['more than 5 MiB', 5 * MIB + 1],
      ['exactly two parts', 16 * MIB],
      ['more than 16 MiB', 16 * MIB + 12_345],
    ] as const)
      test(`of ${size} are read as they were written, and known by size and hash`, async () => {
        const content = randomBytes(bytes)
        const cut = Math.floor(bytes / 3)
        const written = await storage.write('sizes/one', pieces(content.subarray(0, cut), content.subarray(cut)))
        assert.deepEqual(written, { bytes, sha256: sha256(content) })
        assert.ok((await read(storage, 'sizes/one')).equals(content))
        assert.equal(await storage.size('sizes/one'), bytes)
        assert.equal(await storage.has('sizes/one'), true)
        assert.equal(await peer.unfinished(), 0)
      })

    test('are read in parts, both ends included, and nothing beyond their end', async () => {
      await storage.write('ranges', pieces('0123456789'))
      const part = async (start: number, end: number) =>
        `${Buffer.concat(await storage.read('ranges', { start, end }).toArray())}`
      assert.deepEqual(
        await Promise.all([part(0, 0), part(3, 5), part(9, 9), part(0, 9), part(7, 1000), part(10, 20)]),
        ['0', '345', '9', '0123456789', '789', ''],
      )
      for (const [start, end] of [
        [-1, 2],
        [3, 2],
        [0.5, 2],
        [0, Number.NaN],
      ] as const)
        assert.throws(() => storage.read('ranges', { start, end }), RangeError)
      await assert.rejects(storage.read('no-ranges', { start: 0, end: 1 }).toArray(), FileMissing)
    })

    test('are known to be there before anybody is answered', async () => {
      await storage.write('opened/one', pieces('first text'))
      const opened = await openStored(storage, 'opened/one', { start: 6, end: 9 })
      assert.equal(`${Buffer.concat(await opened.toArray())}`, 'text')
      await assert.rejects(openStored(storage, 'opened/none'), FileMissing)
    })

    test('are replaced whole', async () => {
      await storage.write('notes/one.txt', pieces('first ', 'text'))
      await storage.write('notes/one.txt', pieces('next'), { contentType: 'text/plain' })
      assert.equal(await text(storage, 'notes/one.txt'), 'next')
    })

    test('that are not there are told by name, wherever one looks, and deleted without complaint', async () => {
      for (const key of ['nothing', 'notes/nothing']) {
        assert.deepEqual([await storage.has(key), await storage.size(key)], [false, null])
        await assert.rejects(read(storage, key), (error) => error instanceof FileMissing && error.key === key)
        await storage.delete(key)
      }
      await storage.write('folder/one', pieces('x'))
      assert.equal(await storage.has('folder'), false, 'a folder is no file')
      await assert.rejects(read(storage, 'folder'), FileMissing)
    })

    test('are gone when they were deleted, also twice', async () => {
      await storage.write('gone/one', pieces('x'))
      await storage.delete('gone/one')
      await storage.delete('gone/one')
      assert.equal(await storage.has('gone/one'), false)
      assert.deepEqual(await keysIn(storage, 'gone'), [])
    })

    test('whose content breaks off leave what was there, and nothing beside it', async () => {
      await storage.write('kept', pieces('whole'))
      const broken = new Error('the source broke')
      for (const bytes of [0, 10, 17 * MIB])
        for (const key of ['kept', 'never'])
          await assert.rejects(storage.write(key, pieces(Buffer.alloc(bytes), broken)), (error) => error === broken)
      assert.equal(await text(storage, 'kept'), 'whole')
      assert.equal(await storage.has('never'), false)
      assert.equal(await peer.unfinished(), 0)
    })

    test('that two write at once are one of the two, and both have written', async () => {
      const texts = Array.from({ length: 12 }, (_, n) => `${n}`.repeat(1000))
      const written = await Promise.all(texts.map((content) => storage.write('raced', pieces(content))))
      assert.deepEqual(
        written,
        texts.map((content) => ({ bytes: content.length, sha256: sha256(content) })),
      )
      assert.ok(texts.includes(await text(storage, 'raced')))
    })

    test('have no keys that lead elsewhere', async () => {
      for (const key of HOSTILE) {
        await assert.rejects(storage.write(key, pieces('x')), InvalidFileKey, key)
        for (const refused of [() => storage.has(key), () => storage.size(key), () => storage.delete(key)])
          await assert.rejects(refused, InvalidFileKey, key)
        await assert.rejects(
          storage.presignUpload(key, { bytes: 1, contentType: 'text/plain', expiresInSeconds: 60 }),
          InvalidFileKey,
          key,
        )
        assert.throws(() => storage.read(key), InvalidFileKey, key)
        if (key !== '') assert.throws(() => storage.list(key), InvalidFileKey, key)
      }
    })

    test('are listed below a folder by their whole keys in order, whatever stands beside a folder', async () => {
      const keys = [
        'odd/a-b',
        'odd/a-b0/x',
        'odd/a.b/c',
        'odd/a.txt',
        'odd/a/z',
        'odd/a0',
        'odd/b/c/d',
        'odd/b/c0',
        'odd/z',
      ]
      for (const key of keys.toReversed()) await storage.write(key, pieces(key))
      assert.deepEqual(
        await listed(storage, 'odd'),
        keys.sort().map((key) => ({ key, bytes: key.length })),
      )
      assert.deepEqual(await keysIn(storage, 'odd/b'), ['odd/b/c/d', 'odd/b/c0'])
      assert.deepEqual(await keysIn(storage, 'nothing'), [])
      const all = await keysIn(storage, '')
      assert.deepEqual(all, all.toSorted())
      assert.ok(all.includes('odd/a/z'))
    })

    test('are all listed where there are more than a page of them', async () => {
      const keys = Array.from({ length: 1_005 }, (_, n) => `many/${n % 3 === 0 ? 'a-' : n % 3 === 1 ? 'a/' : 'a.'}${n}`)
      await peer.seed(keys)
      assert.deepEqual(await keysIn(storage, 'many'), keys.toSorted())
    })

    test('survive a process that is killed while it writes', async () => {
      await storage.write('survivor', pieces('whole'))
      const child = inChild(
        peer,
        `
        async function* endless() {
          yield Buffer.alloc(${20 * MIB})
          console.log('writing')
          await new Promise((resolve) => setTimeout(resolve, 600_000))
        }
        await storage.write('survivor', endless())`,
      )
      await once(child.stdout, 'data')
      child.kill('SIGKILL')
      await once(child, 'exit')
      assert.equal(await text(storage, 'survivor'), 'whole')
    })

    test('of any size pass in little memory', async () => {
      const child = inChild(
        peer,
        `
        const piece = Buffer.alloc(${MIB}, 'x')
        async function* stream(count) { for (let n = 0; n < count; n++) yield piece }
        const peak = () => process.resourceUsage().maxRSS / 1024
        await storage.write('large', stream(20))
        const before = peak()
        const { bytes } = await storage.write('large', stream(${peer.largeMib}))
        for await (const chunk of storage.read('large')) if (chunk.length === 0) throw new Error('empty')
        console.log(JSON.stringify({ bytes, grown: peak() - before }))
        process.exit()`,
      )
      const [said] = await once(child.stdout, 'data')
      const { bytes, grown } = JSON.parse(`${said}`)
      assert.equal(bytes, peer.largeMib * MIB)
      assert.ok(grown < peer.largeMib / 2, `${grown} MiB more than for a file of 20 MiB`)
      await storage.delete('large')
    })

    test('can be kept, says the check, which leaves nothing', async () => {
      const files = await keysIn(storage, '')
      assert.match(await storage.check(), /^Files can be written to .* and read again/)
      assert.deepEqual(await keysIn(storage, ''), files)
    })
  })
}
