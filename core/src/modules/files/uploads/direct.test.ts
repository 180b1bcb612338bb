import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import { HOURS, MINUTES } from '#kernel'
import type { TestCore, TestTenant } from '../../../testing/index.ts'
import { until } from '../../../testing/until.ts'
import {
  assertNothingLeft,
  createFileCore,
  holdings,
  MOST_BYTES,
  PNG,
  picture,
  pointersOf,
  setQuota,
  uploaded,
} from '../files.fixture.ts'
import { giveUpExpired } from './upkeep.ts'

let test: TestCore
let tenant: TestTenant
before(async () => {
  test = await createFileCore()
})
after(() => test?.close())
beforeEach(async () => {
  tenant = await test.foundTenant()
})

const note = { filename: 'note.txt', content_type: 'text/plain', size: 8 }
const begin = (body: object = note, who = tenant.owner) => who.post('/files/uploads', body)

async function begun(body: object = note) {
  const answer = await begin(body)
  assert.equal(answer.status, 201, answer.text)
  return answer.body
}

const put = ({ url, headers }: { url: string; headers: Record<string, string> }, content: string | Buffer, more = {}) =>
  test.request('PUT', new URL(url).pathname, { payload: content, headers: { ...headers, ...more } })

const complete = (id: string, who = tenant.owner) => who.post(`/files/uploads/${id}/complete`)

/** What a test that fails leaves undone. */
const undo: (() => void)[] = []
afterEach(() => {
  for (const each of undo.splice(0)) each()
})

/** Holds the n-th write in a folder until it is told to go on, as a process that stalls would. */
function holdWrite(nth: number, folder = 'files') {
  const { storage } = test.core
  const { write } = storage
  const [reached, going] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  let seen = 0
  storage.write = async (key, content, options) => {
    if (!key.startsWith(`${folder}/`) || ++seen !== nth) return write.call(storage, key, content, options)
    const chunks: Uint8Array[] = []
    for await (const chunk of content) chunks.push(chunk)
    reached.resolve()
    await going.promise
    return write.call(storage, key, contentOf(chunks), options)
  }
  undo.push(going.resolve, () => {
    storage.write = write
  })
  return { reached: reached.promise, go: () => going.resolve() }
}

async function* contentOf(chunks: Uint8Array[]) {
  yield* chunks
}

describe('an upload straight to the storage', () => {
  it('becomes a file when it is completed, with the size and the checksum of what is there', async () => {
    const upload = await begun()
    assert.deepEqual(await holdings(test, tenant.id), { files: 0, uploads: 1, used: 8, objects: 0 })
    assert.equal((await complete(upload.id)).status, 409, 'nothing was uploaded yet')
    assert.equal((await put(upload, 'Buy milk')).status, 204)
    const { status, body, headers } = await complete(upload.id)
    assert.deepEqual([status, headers.location], [201, `/api/v1/files/${upload.id}`])
    assert.partialDeepStrictEqual(body, {
      id: upload.id,
      size: 8,
      content_type: 'text/plain',
      uploaded_by: tenant.owner.userId,
    })
    assert.equal((await tenant.owner.get(`/files/${upload.id}/download`)).text, 'Buy milk')
    assert.deepEqual((await complete(upload.id)).body, body, 'once more it is the same')
    await test.drainJobs(tenant.id)
    assert.deepEqual(await holdings(test, tenant.id), { files: 1, uploads: 0, used: 8, objects: 1 })
  })

  it('is not changed any more by whoever still has its address', async () => {
    const upload = await begun()
    await put(upload, 'Buy milk')
    await complete(upload.id)
    assert.equal((await put(upload, 'Buy beer')).status, 404)
    assert.equal((await tenant.owner.get(`/files/${upload.id}/download`)).text, 'Buy milk')
  })

  it('is refused when it differs from what was announced', async () => {
    const upload = await begun()
    const sent: [content: string, headers: object, status: number][] = [
      ['Buy', {}, 400],
      ['Buy milk and more', {}, 413],
      ['Buy milk', { 'content-type': 'text/html' }, 415],
    ]
    for (const [content, headers, status] of sent)
      assert.equal((await put(upload, content, headers)).status, status, content)
    assert.equal((await complete(upload.id)).status, 409)
  })

  it('ends when its content is another kind of file', async () => {
    const upload = await begun({ filename: 'a.png', content_type: 'image/png', size: 8 })
    await put(upload, 'Buy milk')
    const answer = await complete(upload.id)
    assert.deepEqual([answer.status, pointersOf(answer)], [415, ['#/file']])
    await assertNothingLeft(test, tenant)
    assert.equal((await complete(upload.id)).status, 404)
  })

  it('is refused before it begins where it can be', async () => {
    const entity_id = (await tenant.owner.get('/stores')).body.data[0].id
    const painting = { entity_type: 'painting', entity_id }
    const refused: [body: object, status: number, pointers: string[]][] = [
      [{ ...note, size: MOST_BYTES + 1 }, 413, ['#/size']],
      [{ ...note, filename: 'run.exe' }, 415, ['#/content_type']],
      [{ ...note, content_type: 'image/png' }, 415, ['#/content_type']],
      [{ ...note, filename: '../' }, 400, ['#/filename']],
      [{ ...note, size: 0 }, 400, ['#/size']],
      [{ ...note, ...painting }, 415, ['#/content_type']],
      [{ ...note, filename: 'a.png', content_type: 'image/png', size: 100_001, ...painting }, 413, ['#/size']],
      [{ ...note, entity_type: 'painting' }, 400, ['#/entity_id']],
    ]
    const { storage } = test.core
    Object.assign(storage, { largestDirect: MOST_BYTES - 1 })
    undo.push(() => Object.assign(storage, { largestDirect: Number.MAX_SAFE_INTEGER }))
    refused.push([{ ...note, size: MOST_BYTES }, 413, ['#/size']])
    for (const [body, status, pointers] of refused) {
      const answer = await begin(body)
      assert.deepEqual([answer.status, pointersOf(answer)], [status, pointers], answer.text)
    }
    await assertNothingLeft(test, tenant)
  })

  it('is refused before it begins where there is no room, and leaves nothing when there is no address', async () => {
    const entity_id = (await tenant.owner.get('/stores')).body.data[0].id
    const painting = { entity_type: 'painting', entity_id }
    for (const name of ['a.png', 'b.png']) await uploaded(tenant.owner, picture(name), painting)
    const third = { filename: 'c.png', content_type: 'image/png', size: PNG.length, ...painting }
    assert.equal((await begin(third)).status, 409)
    const { storage } = test.core
    const { presignUpload } = storage
    undo.push(() => Object.assign(storage, { presignUpload }))
    storage.presignUpload = () => Promise.reject(new Error('No address'))
    assert.equal((await begin()).status, 500)
    await test.drainJobs(tenant.id)
    assert.deepEqual(await holdings(test, tenant.id), { files: 2, uploads: 0, used: 2 * PNG.length, objects: 2 })
  })

  it('is held for as long as it comes, however long that is', async () => {
    const content = 'Buy milk, and whatever else'
    const upload = await begun({ ...note, size: content.length })
    const url = new URL(upload.url).pathname
    const payload = new PassThrough()
    const slow = test.core.db.aside(() => test.app.inject({ method: 'PUT', url, payload, headers: upload.headers }))
    const isHeld = async () => {
      const held = 'select 1 from file_uploads where id = $1 and writer_until > $2'
      return (await test.core.db.systemQuery(held, [upload.id, test.clock.now()])).length > 0
    }
    await until('it is held', isHeld)
    for (const [at, letter] of [...content].entries()) {
      test.clock.advance(8 * MINUTES)
      payload.write(letter)
      await until('it is held once more', async () => {
        const renewed = 'select 1 from file_uploads where id = $1 and updated_at > $2'
        const since = new Date(test.clock.ms() - 4 * MINUTES).toISOString()
        return (await test.core.db.systemQuery(renewed, [upload.id, since])).length > 0
      })
      if (at < 6) assert.equal((await put(upload, content)).status, 409, 'nobody else sends')
    }
    await test.runSchedule(giveUpExpired)
    payload.end()
    assert.equal((await slow).statusCode, 204)
    assert.equal((await complete(upload.id)).status, 201, 'three hours after it began')
  })

  it('takes its quota when it begins, and gives it back when it is not completed', async () => {
    await setQuota(test, tenant, 20)
    const upload = await begun()
    await put(upload, 'Buy milk')
    await begun()
    const { status, body } = await begin()
    assert.deepEqual([status, body.code, body.used], [402, 'plan_limit_reached', 16])
    test.clock.advance(2 * HOURS)
    await test.runSchedule(giveUpExpired)
    assert.equal((await holdings(test, tenant.id)).uploads, 2, 'their time is not over')
    test.clock.advance(1 * HOURS + 1)
    await test.runSchedule(giveUpExpired)
    await assertNothingLeft(test, tenant)
    assert.equal((await put(upload, 'Buy milk')).status, 404)
  })

  it('has an address that is good for an hour, and for nothing else', async () => {
    const upload = await begun()
    const left = Date.parse(upload.expires_at) - test.clock.ms()
    assert.ok(Math.abs(left - HOURS) < MINUTES, `an hour after it was asked for, not ${left} ms`)
    const path = new URL(upload.url).pathname
    const other = `${path.slice(0, -1)}${path.endsWith('A') ? 'B' : 'A'}`
    assert.equal((await test.request('PUT', other, { payload: 'Buy milk', headers: upload.headers })).status, 404)
    assert.equal((await test.request('GET', path.replace('file-uploads', 'file-links'))).status, 404)
    test.clock.advance(HOURS)
    assert.equal((await put(upload, 'Buy milk')).status, 404)
  })

  it('is completed by whoever began it, and by nobody else', async () => {
    const upload = await begun()
    await put(upload, 'Buy milk')
    assert.equal((await complete(upload.id, await tenant.member({ role: 'admin' }))).status, 404)
    assert.equal((await complete(upload.id, (await test.foundTenant()).owner)).status, 404)
    assert.equal((await complete(upload.id)).status, 201)
  })

  it('is never another file than the one that was settled, however late a completion comes', async () => {
    const upload = await begun()
    await put(upload, 'Buy milk')
    const held = holdWrite(1)
    const slow = complete(upload.id)
    await held.reached
    assert.equal((await put(upload, 'Buy beer')).status, 409, 'nobody sends while it is completed')
    assert.equal((await complete(upload.id)).status, 409)
    // As if the one that holds it had been taken for dead.
    await test.core.db.systemQuery("update file_uploads set writer_until = '2000-01-01' where id = $1", [upload.id])
    await put(upload, 'Buy beer')
    const { status, body } = await complete(upload.id)
    assert.deepEqual([status, body.code], [409, 'conflict'], 'it changed while it was completed')
    await test.drainJobs(tenant.id)
    held.go()
    assert.equal((await slow).status, 409)
    await assertNothingLeft(test, tenant)
  })

  it('leaves nothing of what comes when it is a file, or given up', async () => {
    for (const isCompleted of [true, false]) {
      const upload = await begun()
      const held = holdWrite(1, 'uploads')
      const late = put(upload, 'Buy beer')
      await held.reached
      // As if the one that sends had been taken for dead.
      await test.core.db.systemQuery("update file_uploads set writer_until = '2000-01-01' where id = $1", [upload.id])
      if (isCompleted) {
        await put(upload, 'Buy milk')
        assert.equal((await complete(upload.id)).status, 201)
      } else {
        test.clock.advance(4 * HOURS)
        await test.runSchedule(giveUpExpired)
      }
      await test.drainJobs(tenant.id)
      held.go()
      assert.equal((await late).status, 404)
      assert.deepEqual(await holdings(test, tenant.id), { files: 1, uploads: 0, used: 8, objects: 1 })
    }
    const [{ id }] = (await tenant.owner.get('/files')).body.data
    assert.equal((await tenant.owner.get(`/files/${id}/download`)).text, 'Buy milk')
  })

  it('keeps what was sent when less or more is sent afterwards', async () => {
    const upload = await begun()
    await put(upload, 'Buy milk')
    assert.equal((await put(upload, 'Buy')).status, 400)
    assert.equal((await put(upload, 'Buy milk and more')).status, 413)
    assert.equal((await complete(upload.id)).status, 201)
  })

  it('is completed by somebody of one store, and for nothing that is gone or closed to them', async () => {
    const store = (await tenant.owner.post('/stores', { name: 'South' })).body.id
    const who = await tenant.member({ permissions: ['file.create', 'store.view', 'store.update'], store })
    const ofStore = { ...note, entity_type: 'store', entity_id: store }
    const [first, second] = [await begin(ofStore, who), await begin(ofStore, who)]
    await put(first.body, 'Buy milk')
    await put(second.body, 'Buy milk')
    assert.equal((await complete(first.body.id, who)).status, 201)
    await tenant.owner.delete(`/stores/${store}`)
    assert.equal((await complete(second.body.id, who)).status, 403, 'they hold nothing any more')
    const own = await begun({
      ...note,
      entity_type: 'store',
      entity_id: (await tenant.owner.post('/stores', { name: 'East' })).body.id,
    })
    await put(own, 'Buy milk')
    const held = holdWrite(1)
    const completing = complete(own.id)
    await held.reached
    await tenant.owner.delete(`/stores/${(await tenant.owner.get('/stores?q=East')).body.data[0].id}`)
    held.go()
    assert.equal((await completing).status, 404, 'it went while it was completed')
    assert.equal((await complete(own.id)).status, 404)
  })

  it('that is a file tells nobody about it who may not see it', async () => {
    const { id } = (
      await tenant.owner.request('POST', '/files', { form: { file: { name: 'a.txt', content: 'Buy milk' } } })
    ).body
    const { body } = await tenant.owner.post('/api-keys', { name: 'Till', scopes: ['file.create'] })
    assert.equal((await test.request('POST', `/api/v1/files/uploads/${id}/complete`, { token: body.key })).status, 404)
  })

  it('that is completed many times at once becomes one file', async () => {
    const upload = await begun({ filename: 'a.png', content_type: 'image/png', size: PNG.length })
    await put(upload, PNG)
    const answers = await Promise.all(Array.from({ length: 20 }, () => complete(upload.id)))
    assert.ok(answers.some(({ status }) => status === 201))
    assert.ok(
      answers.every(({ status }) => [201, 409].includes(status)),
      answers.map(({ status }) => status).join(),
    )
    await test.drainJobs(tenant.id)
    assert.deepEqual(await holdings(test, tenant.id), { files: 1, uploads: 0, used: PNG.length, objects: 1 })
    const { text } = await tenant.owner.get(`/files/${upload.id}/download`)
    assert.ok(text.length > 0)
  })
})
