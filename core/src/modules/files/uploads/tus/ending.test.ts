import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import { defineModule, HOURS, MINUTES, within } from '#kernel'
import type { TestCore, TestTenant } from '../../../../testing/index.ts'
import { until } from '../../../../testing/until.ts'
import { builtinModules } from '../../../index.ts'
import { fileCreated } from '../../events.ts'
import { assertNothingLeft, createFileCore, holdings } from '../../files.fixture.ts'
import { files } from '../../index.ts'
import { giveUpExpired } from '../upkeep.ts'
import { EXPIRES_MS, LEASE_MS } from './lease.ts'
import { begun, letters, look, send, sha256, TUS } from './tus.fixture.ts'

/** What a file waits for before its transaction commits. */
let committing = async () => {}
/** Somebody who has a say in whether a file comes into being, and takes long to say it. */
const porter = defineModule({
  name: 'porter',
  dependsOn: [files],
  listeners: [within(fileCreated, 'porter.files', () => committing())],
})

let test: TestCore
let tenant: TestTenant
before(async () => {
  test = await createFileCore({ modules: [...builtinModules, porter] })
})
after(() => test?.close())
beforeEach(async () => {
  tenant = await test.foundTenant()
})
afterEach(() => {
  committing = async () => {}
})

const content = letters(60_000)
const end = (id: string) => tenant.owner.request('DELETE', `/files/tus/${id}`, { headers: TUS })

/** An upload of which only the last bytes are missing. */
async function nearlySent(): Promise<string> {
  const id = await begun(tenant.owner, content.length)
  assert.equal((await send(tenant.owner, id, 0, content.subarray(0, 20_000))).status, 204)
  return id
}

const sendRest = (id: string) => send(tenant.owner, id, 20_000, content.subarray(20_000))

/** Stops whoever comes by until they are told to go on. */
function gate() {
  const [reached, going] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const pass = () => {
    reached.resolve()
    return going.promise
  }
  return { pass, reached: reached.promise, open: () => going.resolve() }
}

describe('an upload that is given up while its last bytes make a file of it', () => {
  it('is a file when that was first, and the other one hears that there is no upload', {
    timeout: 120_000,
  }, async () => {
    const id = await nearlySent()
    const held = gate()
    committing = held.pass
    const sending = sendRest(id)
    await held.reached
    const ending = end(id)
    // Other files of tests have databases of their own.
    const waiting =
      'select 1 from pg_locks join pg_stat_activity using (pid) where not granted and datname = current_database()'
    await until('it waits for the upload', async () => (await test.core.db.systemQuery(waiting)).length > 0)
    held.open()
    assert.deepEqual([(await sending).status, (await ending).status], [204, 404])
    assert.equal((await tenant.owner.get(`/files/${id}/download`)).text, String(content))
    await test.drainJobs(tenant.id)
    assert.deepEqual(await holdings(test, tenant.id), { files: 1, uploads: 0, used: content.length, objects: 1 })
  })

  it('is none when its pieces went before they were joined', { timeout: 120_000 }, async () => {
    const id = await nearlySent()
    const { storage } = test.core
    const { write } = storage
    const held = gate()
    storage.write = async (key, ...rest) => {
      if (key.startsWith('files/')) await held.pass()
      return write.call(storage, key, ...rest)
    }
    try {
      const sending = sendRest(id)
      await held.reached
      assert.equal((await end(id)).status, 204)
      await test.drainJobs(tenant.id)
      held.open()
      const { status, body } = await sending
      assert.deepEqual([status, body.code], [409, 'conflict'])
    } finally {
      storage.write = write
    }
    await assertNothingLeft(test, tenant)
  })

  it('ends when a piece is gone that nobody took away, since it could never become a file', async () => {
    const id = await nearlySent()
    for await (const { key } of test.core.storage.list(`uploads/${tenant.id}`)) await test.core.storage.delete(key)
    const { status, body } = await sendRest(id)
    assert.deepEqual([status, body.detail], [409, 'The storage has lost a part of this upload: begin again'])
    assert.equal((await look(tenant.owner, id)).status, 404)
    await assertNothingLeft(test, tenant)
  })
})

describe('an upload of whose writers one comes late', () => {
  it('stays the file of the one that was in time, whatever the other one writes', { timeout: 120_000 }, async () => {
    const [late, timely] = [letters(1_000), letters(1_000)]
    const id = await begun(tenant.owner, 1_000)
    const { storage } = test.core
    const { write } = storage
    const held = gate()
    let writes = 0
    storage.write = async (key, content, options) => {
      if (!key.startsWith('files/') || ++writes > 1) return write.call(storage, key, content, options)
      const chunks: Uint8Array[] = []
      for await (const chunk of content) chunks.push(chunk)
      await held.pass()
      return write.call(storage, key, Readable.from(chunks), options)
    }
    try {
      const first = send(tenant.owner, id, 0, late)
      await held.reached
      // As one that was frozen for longer than its lease.
      test.clock.advance(LEASE_MS + 1)
      assert.equal((await send(tenant.owner, id, 0, timely)).status, 204)
      held.open()
      assert.equal((await first).status, 409)
    } finally {
      storage.write = write
    }
    assert.equal((await tenant.owner.get(`/files/${id}`)).body.checksum_sha256, sha256(timely))
    assert.equal((await tenant.owner.get(`/files/${id}/download`)).text, String(timely))
    await test.drainJobs(tenant.id)
    assert.deepEqual(await holdings(test, tenant.id), { files: 1, uploads: 0, used: 1_000, objects: 1 })
  })
})

describe('an upload that stands still', () => {
  it('ends a day after its last bytes, whatever its sender asks meanwhile', async () => {
    const id = await begun(tenant.owner, content.length)
    test.clock.advance(EXPIRES_MS - 1 * MINUTES)
    assert.equal((await send(tenant.owner, id, 0, '')).status, 204)
    test.clock.advance(2 * MINUTES)
    assert.equal((await look(tenant.owner, id)).status, 404)
    await test.runSchedule(giveUpExpired)
    await assertNothingLeft(test, tenant)
  })

  it('ends a week after it began, however slowly it comes', async () => {
    const id = await begun(tenant.owner, content.length)
    for (let day = 0; day < 9; day++) {
      const { status } = await send(tenant.owner, id, day, content.subarray(day, day + 1))
      assert.equal(status, day < 8 ? 204 : 404, `after ${day} days`)
      test.clock.advance(EXPIRES_MS - 2 * HOURS)
    }
    assert.equal((await look(tenant.owner, id)).status, 404)
  })

  it('is asked to come in larger parts when it comes in too many', async () => {
    const id = await begun(tenant.owner, content.length)
    await test.core.db.systemQuery('update file_uploads set pieces = 30000 where id = $1', [id])
    assert.equal((await send(tenant.owner, id, 0, '')).status, 409)
  })

  it('ends with all others in one run of the clock', async () => {
    await test.core.db.systemQuery(
      `insert into file_uploads (tenant_id, id, kind, begun_by, filename, original_filename, reserved, storage_backend,
         storage_path, expires_at, created_at, updated_at)
       select $1, gen_random_uuid(), 'tus', 'user:', 'a.txt', 'a.txt', 0, 'local', 'files/a', now() - interval '2 days', now(), now()
       from generate_series(1, 250)`,
      [tenant.id],
    )
    await test.runSchedule(giveUpExpired)
    assert.equal((await holdings(test, tenant.id)).uploads, 0)
  })
})
