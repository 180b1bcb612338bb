import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import { defineModule, within } from '#kernel'
import type { TestCore, TestTenant } from '../../../../testing/index.ts'
import { until } from '../../../../testing/until.ts'
import { builtinModules } from '../../../index.ts'
import { fileCreated } from '../../events.ts'
import { assertNothingLeft, createFileCore, holdings } from '../../files.fixture.ts'
import { files } from '../../index.ts'
import { begun, letters, send, TUS } from './tus.fixture.ts'

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

  it('stands where it stood when a piece is gone that nobody took away', async () => {
    const id = await nearlySent()
    for await (const { key } of test.core.storage.list(`uploads/${tenant.id}`)) await test.core.storage.delete(key)
    assert.equal((await sendRest(id)).status, 500)
    assert.equal((await tenant.owner.get(`/files/${id}`)).status, 404)
    assert.equal((await end(id)).status, 204)
    await assertNothingLeft(test, tenant)
  })
})
