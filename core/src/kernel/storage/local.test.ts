import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs, { mkdir, mkdtemp, open, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { after, before, describe, mock, test } from 'node:test'
import { createLocalStorage } from './local.ts'
import { type FileStorage, StorageDamaged, StorageFailed, StorageFull } from './storage.ts'
import { describeStorage, inChild, keysIn, type Peer, pieces } from './storage-suite.fixture.ts'
import { gathered } from './verified.ts'

const imports = `import { createLocalStorage } from ${JSON.stringify(new URL('./local.ts', import.meta.url).href)}`
const MIB = 1024 * 1024

async function startPeer(): Promise<Peer & { root: string }> {
  const dataDir = await mkdtemp(join(tmpdir(), 'storage-'))
  const root = join(dataDir, 'files')
  const storage = createLocalStorage(root)
  return {
    root,
    storage,
    inChild: { imports, expression: `createLocalStorage(${JSON.stringify(root)})` },
    seed: async (keys) => {
      for (const key of keys) await storage.write(key, pieces('x'))
    },
    largeMib: 300,
    unfinished: async () => (await readdir(join(root, '.partial'))).length,
    close: () => rm(dataDir, { recursive: true, force: true }),
  }
}

describeStorage('on the disk', startPeer)

describe('a folder of files', () => {
  let peer: Awaited<ReturnType<typeof startPeer>>
  let root: string
  let storage: FileStorage
  before(async () => {
    peer = await startPeer()
    root = peer.root
    storage = peer.storage
  })
  after(() => peer.close())
  const partial = () => readdir(join(root, '.partial'))

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

  test('takes no file in place of a folder nor below a file, and keeps nothing of it', async () => {
    await storage.write('a-folder/one', pieces('x'))
    await assert.rejects(storage.write('a-folder', pieces('x')))
    await assert.rejects(storage.write('a-folder/one/below', pieces('x')))
    assert.equal(await storage.has('a-folder/one/below'), false)
    assert.equal(await readFile(join(root, 'a-folder/one'), 'utf8'), 'x')
    assert.deepEqual(await partial(), [])
  })

  test('keeps the remains of a process that died for a day, since it might be at work', async () => {
    const child = inChild(
      peer,
      `async function* endless() {
        yield Buffer.alloc(${2 * MIB})
        console.log('writing')
        await new Promise((resolve) => setTimeout(resolve, 600_000))
      }
      await storage.write('died', endless())`,
    )
    await once(child.stdout, 'data')
    child.kill('SIGKILL')
    await once(child, 'exit')
    const [left = '', ...others] = await partial()
    assert.deepEqual([left === '', others], [false, []])
    await storage.write('another', pieces('x'))
    assert.deepEqual(await partial(), [left])
    const longAgo = new Date(Date.now() - 25 * 60 * 60 * 1000)
    await utimes(join(root, '.partial', left), longAgo, longAgo)
    // A process looks when it begins, and every hour.
    await createLocalStorage(root).write('another', pieces('x'))
    assert.deepEqual(await partial(), [])
  })

  test('refuses a file that the disk changed after it was written, and keeps the earlier one', async () => {
    await storage.write('guarded', pieces('whole'))
    async function* damaging() {
      // The first batch is on the disk when there is a third one.
      for (let n = 0; n < 2; n++) yield Buffer.alloc(MIB, 'x')
      const [name = ''] = await partial()
      const file = await open(join(root, '.partial', name), 'r+')
      await file.write('y', 500_000)
      await file.close()
      yield Buffer.from('end')
    }
    await assert.rejects(storage.write('guarded', damaging()), StorageDamaged)
    assert.equal(await readFile(join(root, 'guarded'), 'utf8'), 'whole')
    assert.deepEqual(await partial(), [])
  })

  test('tells when there is no room for a file, and keeps the earlier one', {
    skip: process.platform === 'win32',
  }, async () => {
    await storage.write('full', pieces('whole'))
    const script = `${imports}
      async function* stream() { for (let n = 0; n < 50; n++) yield Buffer.alloc(300_000) }
      await ${peer.inChild.expression}.write('full', stream()).catch((error) => console.log(error.name))`
    // No file of this process may have more than about a megabyte.
    const shell = `ulimit -f 1000; exec "$0" --input-type=module -e "$1"`
    const child = spawn('sh', ['-c', shell, process.execPath, script], { stdio: ['ignore', 'pipe', 'inherit'] })
    const [said] = await once(child.stdout, 'data')
    assert.equal(`${said}`.trim(), new StorageFull().name)
    assert.equal(await readFile(join(root, 'full'), 'utf8'), 'whole')
    assert.deepEqual(await partial(), [])
  })

  test('tells when there is no room for a folder', async () => {
    await storage.write('full', pieces('whole'))
    const noRoom = Object.assign(new Error('no room'), { code: 'ENOSPC' })
    for (const call of ['mkdir', 'rename'] as const) {
      mock.method(fs, call, () => Promise.reject(noRoom))
      syncBuiltinESMExports()
      try {
        await assert.rejects(createLocalStorage(root).write('full', pieces('more')), StorageFull, call)
      } finally {
        mock.restoreAll()
        syncBuiltinESMExports()
      }
    }
    assert.equal(await readFile(join(root, 'full'), 'utf8'), 'whole')
    assert.deepEqual(await partial(), [])
  })

  test('takes bytes that come one at a time together', async () => {
    async function* single() {
      for (let n = 0; n < 300_000; n++) yield Buffer.from([n % 256])
    }
    const lengths: number[] = []
    for await (const piece of gathered(single())) lengths.push(piece.byteLength)
    assert.deepEqual(lengths, [...Array(4).fill(64 * 1024), 300_000 - 4 * 64 * 1024])
    const large = Buffer.alloc(100_000)
    for await (const piece of gathered(Readable.from([large]))) assert.ok(piece === large, 'is not copied')
  })

  test('loses each folder with its last file, and none that anybody writes to', async () => {
    await storage.write('uploads/one/0', pieces('x'))
    await storage.write('uploads/two/0', pieces('x'))
    await storage.delete('uploads/one/0')
    await storage.delete('uploads/one/0')
    assert.deepEqual(await readdir(join(root, 'uploads')), ['two'])
    await storage.delete('uploads/two/0')
    assert.ok(!(await readdir(root)).includes('uploads'))
    const busy = Array.from({ length: 8 }, async (_, writer) => {
      for (let i = 0; i < 25; i++) {
        await storage.write(`uploads/busy/${writer}`, pieces('x'))
        assert.equal(await storage.size(`uploads/busy/${writer}`), 1)
        await storage.delete(`uploads/busy/${writer}`)
      }
    })
    await Promise.all(busy)
    assert.ok(!(await readdir(root)).includes('uploads'))
  })

  test('lists nothing that no key leads to', async () => {
    const own = createLocalStorage(join(root, 'listing'))
    await own.write('a', pieces('x'))
    for (const path of ['.partial/half', 'Folder/x', 'folder/X y']) {
      await mkdir(join(root, 'listing', path, '..'), { recursive: true })
      await writeFile(join(root, 'listing', path), 'x')
    }
    assert.deepEqual(await keysIn(own, ''), ['a'])
  })

  test('is not what clients can upload to by themselves', async () => {
    const upload = { bytes: 1, contentType: 'text/plain', expiresInSeconds: 60 }
    assert.equal(await storage.presignUpload('direct', upload), null)
  })

  test('says how much room is left, or what keeps it from being written to', async () => {
    assert.match(await storage.check(), /read again; \d+\.\d GiB are free\.$/)
    assert.deepEqual(
      (await readdir(root)).filter((name) => name === '.check'),
      [],
    )
    await writeFile(join(root, 'blocked'), 'x')
    const blocked = createLocalStorage(join(root, 'blocked'))
    await assert.rejects(
      blocked.check(),
      (error) => error instanceof StorageFailed && /\(ENOTDIR|\(EEXIST/.test(error.message),
    )
  })
})
