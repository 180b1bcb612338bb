import assert from 'node:assert/strict'
import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, beforeEach, describe, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { type Ctx, defineModule, HOURS, type Movable, newId } from '#kernel'
import { runCommand } from '../src/cli/commands.ts'
import { coreOf } from '../src/kernel/core-of.ts'
import { keyOf, text } from '../src/modules/files/upkeep/upkeep.fixture.ts'
import { builtinModules } from '../src/modules/index.ts'
import { formOf, look, paint } from '../src/modules/pictures/pictures.fixture.ts'
import { openPlace, openTenant, type Place } from './moved-files.fixture.ts'
import { runInProcess } from './run-in-process.ts'

let place: Place
let t: Place['t']
let server: Place['server']
let tenantId: string
let { owner, run, move, storage, files, download, backendOf, hourLater, uploadMany } = {} as Awaited<
  ReturnType<typeof openTenant>
> // set before each test

before(async () => {
  place = await openPlace()
  ;({ t, server } = place)
})
after(() => place?.close())
beforeEach(async () => {
  ;({
    id: tenantId,
    owner,
    run,
    move,
    storage,
    files,
    download,
    backendOf,
    hourLater,
    uploadMany,
  } = await openTenant(place))
})

describe('tenantry files move', () => {
  test('moves files both ways, those in the trash too, and old copies go an hour later', async () => {
    const made = await uploadMany(12)
    await owner.delete(`/files/${made[0]?.id}`)
    for (const [to, from] of [
      ['s3', 'local'],
      ['local', 's3'],
    ] as const) {
      const { code, out, err } = await move(to)
      assert.deepEqual([code, err], [0, ''], out)
      assert.match(out, /^audit archives: 0 to move, 0 B\nfiles: 12 to move, 240 B\n/m)
      assert.match(out, /^Moved 12 objects, 240 B\.$/m)
      assert.deepEqual(
        [(await files(to)).length, (await files(from)).length],
        [12, 12],
        'who has read the row a moment ago',
      )
      // By a clock that has not been moved yet, what a worker does at once is done.
      if (to === 's3') await t.drainJobs(tenantId)
      if (to === 's3') assert.equal((await files(from)).length, 12, 'nor does a worker take it at once')
      for (const { id } of made) assert.equal(await backendOf(id), to)
      await hourLater()
      assert.deepEqual([(await files(to)).length, (await files(from)).length], [12, 0])
      for (const { id, content } of made.slice(1)) assert.equal(await download(id), content)
      const again = await move(to)
      assert.equal(again.code, 0)
      assert.match(again.out, /^Moved 0 objects, 0 B\.$/m)
    }
    await owner.post(`/files/${made[0]?.id}/restore`)
    assert.equal(await download(String(made[0]?.id)), made[0]?.content)
  })

  test('moves archives of the audit log, and never one over another', async () => {
    const key = `audit/${tenantId}/2026-01.ndjson.gz`
    await storage('local').write(key, text('an archive'))
    assert.equal((await move('s3')).code, 0)
    assert.deepEqual([await storage('local').has(key), await storage('s3').size(key)], [false, 10])
    await storage('local').write(key, text('another one'))
    const { code, out } = await move('s3')
    assert.equal(code, 1)
    assert.match(
      out,
      /^Not moved: audit\/.* \(audit archives\): local and s3 have different archives under this name$/m,
    )
    assert.deepEqual([await storage('local').size(key), await storage('s3').size(key)], [11, 10])
  })

  test('leaves a file that is not what was uploaded, or is nowhere, names it and ends with 1', async () => {
    const [good, damaged, gone, other] = await uploadMany(4)
    await storage('local').write(keyOf(tenantId, String(damaged?.id)), text('x'.repeat(20)))
    await storage('local').delete(keyOf(tenantId, String(gone?.id)))
    await storage('local').delete(keyOf(tenantId, String(other?.id)))
    await storage('s3').write(keyOf(tenantId, String(other?.id)), text('y'.repeat(20)))
    const { code, out } = await move('s3')
    assert.equal(code, 1)
    assert.match(
      out,
      new RegExp(
        `files/${tenantId}/${other?.id} \\(files\\): the storage local does not have it, and what s3 holds is not`,
      ),
    )
    assert.match(
      out,
      new RegExp(`Not moved: files/${tenantId}/${damaged?.id} \\(files\\): what the storage local holds is not what`),
    )
    assert.match(
      out,
      new RegExp(`Not moved: files/${tenantId}/${gone?.id} \\(files\\): the storage local does not have it`),
    )
    assert.match(out, /^3 could not be moved and are where they were\.$/m)
    assert.deepEqual(await files('s3'), [good, other].map((file) => keyOf(tenantId, String(file?.id))).sort())
    assert.equal(await backendOf(String(damaged?.id)), 'local')
  })

  test('leaves every file where it is while the other storage refuses', async () => {
    const made = await uploadMany(30)
    server.intercept((request, response) => {
      if (request.method !== 'PUT') return false
      response.writeHead(403).end()
      return true
    })
    const { code, out } = await move('s3').finally(() => server.intercept(null))
    assert.equal(code, 1)
    assert.equal(out.match(/^Not moved: /gm)?.length, 20, 'a bucket that is gone says so 20 times, not two million')
    assert.match(out, /^30 could not be moved/m)
    for (const { id, content } of made) assert.equal(await download(id), content)
  })

  test('puts a file back that the other storage loses right after it was written', async () => {
    const [file] = await uploadMany(1)
    await move('s3')
    await storage('s3').delete(keyOf(tenantId, String(file?.id)))
    await hourLater()
    assert.equal(await backendOf(String(file?.id)), 'local')
    assert.equal(await download(String(file?.id)), file?.content)
  })

  test('leaves a picture whose disk is not mounted, names it and ends with 1', async () => {
    const sent = await owner.request('POST', '/users/me/avatar', formOf(await paint(40, 40)))
    const id = String(sent.body.avatar_url.split('/').at(-1))
    const folder = join(t.dataDir, 'files', 'pictures')
    await rename(folder, `${folder}-away`)
    const { code, out } = await run('files move --to s3').finally(() => rename(`${folder}-away`, folder))
    assert.equal(code, 1)
    assert.match(out, new RegExp(`^Not moved: pictures/${id} \\(pictures\\): the storage local does not have it$`, 'm'))
    assert.equal((await look(t, sent.body.avatar_url)).status, 200)
    const all = await run('files move --to s3 --dry-run')
    assert.match(all.out, /^pictures: 1 to move, [1-9]/m, 'with what its storage says of its size')
    await hourLater()
    assert.equal((await look(t, sent.body.avatar_url)).status, 200)
    await run('files move --to s3')
    assert.match((await run('files move --to s3 --dry-run')).out, /^pictures: 0 to move, 0 B$/m)
  })

  test('leaves a good copy as it is where the storage that it comes from holds something else', async () => {
    for (const damage of ['x'.repeat(20), 'cut']) {
      const [file] = await uploadMany(1)
      const key = keyOf(tenantId, String(file?.id))
      await move('s3')
      await storage('s3').write(key, text(damage))
      const { code, out } = await move('local')
      assert.equal(code, 0, out)
      assert.equal(await backendOf(String(file?.id)), 'local')
      await hourLater()
      assert.equal(await download(String(file?.id)), file?.content)
      assert.equal(await storage('s3').has(key), false)
    }
  })

  test('removes no old copy while the new one is not the file by its checksum', async () => {
    const [file] = await uploadMany(1)
    const key = keyOf(tenantId, String(file?.id))
    await move('s3')
    await storage('s3').write(key, text('x'.repeat(20)))
    await hourLater()
    assert.equal(await backendOf(String(file?.id)), 'local')
    assert.equal(await download(String(file?.id)), file?.content)
    await move('s3')
    for (const backend of ['local', 's3'] as const) await storage(backend).write(key, text('y'.repeat(20)))
    await hourLater()
    assert.deepEqual([await storage('local').size(key), await storage('s3').size(key)], [20, 20], 'nobody knows which')
  })

  test('only says how much it is with --dry-run', async () => {
    await uploadMany(2)
    const { code, out } = await run(`files move --to s3 --tenant ${tenantId} --dry-run`)
    const [pictures, archives, moved, exported] = [0, 0, 2, 0].map((count) => `${count} to move, ${20 * count} B\n`)
    const said = `pictures: ${pictures}audit archives: ${archives}files: ${moved}exports of tenants: ${exported}`
    assert.deepEqual([code, out], [0, said])
    assert.deepEqual(await files('s3'), [])
  })

  test('ends what is under way before it fails with a list that fails', async () => {
    const { promise: failed, resolve: fail } = Promise.withResolvers<void>()
    let isOpen: boolean | undefined
    const slow = (ctx: Ctx): Movable => ({
      ...{ key: 'slow', bytes: 1 },
      move: async () => {
        await failed
        // Whoever does not wait for it closes the core within a few of these.
        for (let turn = 0; turn < 100; turn++) await setImmediate()
        isOpen = !coreOf(ctx).stopping.aborted
        return true
      },
    })
    let lists = 0
    async function* list(ctx: Ctx) {
      yield slow(ctx)
      if (++lists === 1) return
      fail()
      throw new Error('the list has failed')
    }
    const probe = defineModule({ name: 'probe', stored: [{ name: 'probes', list, foldersOf: () => [] }] })
    const modules = [...builtinModules, probe]
    const { code, err } = await runInProcess(`files move --tenant ${tenantId} --to s3`, {
      env: place.env,
      line: (args) => runCommand(args, { modules, product: { command: 'tenantry' } }),
    })
    assert.deepEqual([code, isOpen], [1, true])
    assert.match(err, /the list has failed/)
  })

  test('refuses what it cannot do with 2', async () => {
    const wrong = {
      '': '--to is required: local or s3',
      '--to disk': '--to takes local or s3',
      '--to s3 --from s3': '--from and --to are the same storage',
      '--to s3 --parallel 0': '--parallel takes a number from 1 to 64',
      '--to s3 --tenant x': '--tenant takes the id of a tenant',
    }
    for (const [args, says] of Object.entries(wrong)) {
      const { code, err } = await run(`files move ${args}`)
      assert.deepEqual([code, err], [2, `tenantry files move: ${says}. See: tenantry files move --help\n`])
    }
    const { code, err } = await run('files move --to s3', {
      S3_BUCKET: '',
      S3_ENDPOINT: '',
      S3_ACCESS_KEY_ID: '',
      S3_SECRET_ACCESS_KEY: '',
    })
    assert.equal(code, 2)
    assert.match(err, /--to s3: the settings do not describe that storage/)
  })
})

describe('tenantry files check', () => {
  const check = (more = '') => run(`files check --tenant ${tenantId}${more}`)

  test('says that all is well', async () => {
    await uploadMany(2)
    const { code, out, err } = await check()
    assert.deepEqual([code, out, err], [0, 'All is well (1 tenant).\n', ''])
  })

  test('says what does not fit together and changes nothing; --mend mends it, however much it is', async () => {
    const [lost, moved] = await uploadMany(2)
    const orphans = Array.from({ length: 30 }, () => keyOf(tenantId, oldId()))
    for (const key of [...orphans, `uploads/${tenantId}/${oldId()}/1`]) await storage('local').write(key, text('left'))
    await storage('local').delete(keyOf(tenantId, String(lost?.id)))
    await storage('s3').write(keyOf(tenantId, String(moved?.id)), text(String(moved?.content)))
    await storage('local').delete(keyOf(tenantId, String(moved?.id)))
    await t.core.db.systemQuery('update limit_usage set used = used + 2048 where tenant_id = $1', [tenantId])
    for (let look = 0; look < 2; look++) {
      const { code, out } = await check()
      assert.equal(code, 1)
      for (const says of [
        '30 objects without a file',
        '1 piece of uploads that are gone',
        'these have 124 B',
        '1 file that is missing, or of another size',
        '1 file in another storage than the row says',
        'the quota is counted too high by 2.0 KiB',
        'So many objects without a file that this may be the wrong storage',
      ])
        assert.ok(out.includes(`  ${says}`), `${says}\n${out}`)
    }
    assert.equal((await files('local')).length, 30)
    assert.equal((await check(' --mend')).code, 1, 'what is lost stays lost')
    assert.deepEqual(await files('local'), [])
    assert.equal(await download(String(moved?.id)), moved?.content)
    const { out } = await check()
    assert.match(
      out,
      /^Tenant .*:\n {2}1 file that is missing, or of another size: [\da-f-]{36}\nSomething is wrong with 1 of 1 tenant\.$/m,
    )
  })

  test('touches nothing while a storage does not answer', async () => {
    const orphan = keyOf(tenantId, oldId())
    await storage('local').write(orphan, text('left'))
    server.intercept((_request, response) => {
      response.writeHead(403).end()
      return true
    })
    const { code, out } = await check(' --mend').finally(() => server.intercept(null))
    assert.equal(code, 1)
    assert.match(out, /The bucket for files failed .* Nothing was touched\.$/m)
    assert.deepEqual(await files('local'), [orphan])
  })

  test('does not say so of a storage that fails in the middle of mending', async () => {
    for (const backend of ['local', 's3'] as const) await storage(backend).write(keyOf(tenantId, oldId()), text('left'))
    let lists = 0
    server.intercept((request, response) => {
      if (!request.url?.includes('list-type') || ++lists <= 2) return false
      response.writeHead(403).end()
      return true
    })
    const { code, out } = await check(' --mend').finally(() => server.intercept(null))
    assert.equal(code, 1)
    assert.match(out, /The bucket for files failed .* Some of it may be mended: run it again\.$/m)
    assert.equal((await check(' --mend')).code, 0)
    assert.deepEqual([await files('local'), await files('s3')], [[], []])
  })

  test('mends more than 20 files that are elsewhere, and says that all is well', async () => {
    for (const { id, content } of await uploadMany(25)) {
      await storage('s3').write(keyOf(tenantId, id), text(content))
      await storage('local').delete(keyOf(tenantId, id))
    }
    const { code, out } = await check(' --mend')
    assert.match(out, /^ {2}25 files in another storage than the row says\nAll is well/m)
    assert.equal(code, 0)
  })
})

/** Made two days ago. */
function oldId(): string {
  const time = (Date.now() - 48 * HOURS).toString(16).padStart(12, '0')
  return `${time.slice(0, 8)}-${time.slice(8)}${newId().slice(13)}`
}
