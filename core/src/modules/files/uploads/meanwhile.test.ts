import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { after, before, beforeEach, describe, it } from 'node:test'
import { MINUTES } from '#kernel'
import type { TestCore, TestPerson, TestTenant } from '../../../testing/index.ts'
import { until } from '../../../testing/until.ts'
import { assertNothingLeft, createFileCore, holdings, setQuota, text, uploaded } from '../files.fixture.ts'
import { beginSlowly } from '../files-processes.fixture.ts'
import { begun, isBeingSent, letters, patchSlowly, send, TUS } from './tus/tus.fixture.ts'

const SIZE = 200_000
const content = letters(SIZE)
const half = content.subarray(0, SIZE / 2)
const rest = content.subarray(SIZE / 2)

let test: TestCore
let tenant: TestTenant
let port: number
before(async () => {
  test = await createFileCore()
  await test.app.listen({ port: 0, host: '127.0.0.1' })
  port = (test.app.server.address() as AddressInfo).port // it listens on a port
})
after(() => test?.close())
beforeEach(async () => {
  tenant = await test.foundTenant()
})

/** A form of which half has arrived; `end` sends the rest, and resolves to the status. */
async function formUnderWay(who: TestPerson, headers: Record<string, string> = {}) {
  const slow = await beginSlowly({ port, who, form: { fields: {}, file: text(content) }, headers })
  await slow.send(slow.payload.subarray(0, SIZE / 2))
  await until('it has begun', async () => (await holdings(test, tenant.id)).uploads === 1)
  return {
    async end() {
      await slow.send(slow.payload.subarray(SIZE / 2))
      slow.end()
      return (await slow.answer).status
    },
  }
}

/** The same of a resumable upload, whose last request is under way. */
async function patchUnderWay(who: TestPerson) {
  const id = await begun(who, SIZE)
  const slow = await patchSlowly({ port, who }, { id, offset: 0, length: SIZE })
  await slow.write(half)
  await until('it writes', () => isBeingSent(test, id))
  return {
    async end() {
      slow.request.end(rest)
      return (await slow.answer).status
    },
  }
}

async function directUnderWay(who: TestPerson, headers: Record<string, string> = {}) {
  const body = JSON.stringify({ filename: 'note.txt', content_type: 'text/plain', size: SIZE })
  const sent = { payload: body, headers: { ...headers, 'content-type': 'application/json' } }
  const { body: direct } = await who.request('POST', '/files/uploads', sent)
  const put = { payload: content, headers: direct.headers }
  return {
    id: direct.id,
    send: async () => (await test.request('PUT', new URL(direct.url).pathname, put)).status,
    async end() {
      assert.equal((await this.send()) < 300, true)
      return (await who.post(`/files/uploads/${direct.id}/complete`)).status
    },
  }
}

const ways = { formUnderWay, patchUnderWay, directUnderWay }

describe('while an upload goes on', () => {
  for (const [name, begin] of Object.entries(ways)) {
    it(`somebody who leaves adds no file any more: ${name}`, async () => {
      const who = await tenant.member({ role: 'staff' })
      const upload = await begin(who)
      assert.equal((await tenant.owner.delete(`/users/${who.userId}`)).status, 204)
      const status = await upload.end()
      assert.ok(status === 401 || status === 403 || status === 404, String(status))
      assert.deepEqual((await tenant.owner.get('/files')).body.data, [])
    })

    it(`somebody who loses the right adds no file any more: ${name}`, async () => {
      const who = await tenant.member({ permissions: ['file.create'] })
      const upload = await begin(who)
      const [{ role_id }] = (await tenant.owner.get(`/users/${who.userId}/roles`)).body.data
      await tenant.owner.put(`/roles/${role_id}`, { permissions: ['file.view'] })
      assert.equal(await upload.end(), 403)
      assert.deepEqual((await tenant.owner.get('/files')).body.data, [])
    })
  }

  it('a store that is deleted gets no file any more, and none back out of the trash', async () => {
    const store = (await tenant.owner.post('/stores', { name: 'South' })).body.id
    const headers = { 'x-store-id': store }
    const kept = await tenant.owner.request('POST', '/files', { headers, form: { fields: {}, file: text() } })
    const resumable = await begun(tenant.owner, SIZE, {}, headers)
    const direct = await directUnderWay(tenant.owner, headers)
    await tenant.owner.request('DELETE', `/files/tus/${await begun(tenant.owner, 1)}`, { headers: TUS })
    const form = await beginSlowly({ port, who: tenant.owner, form: { fields: {}, file: text(content) }, headers })
    await form.send(form.payload.subarray(0, SIZE / 2))
    await until('all have begun', async () => (await holdings(test, tenant.id)).uploads === 3)
    assert.equal((await tenant.owner.delete(`/stores/${store}`)).status, 204)
    test.clock.advance(11 * MINUTES)
    await test.drainJobs(tenant.id)
    assert.equal((await send(tenant.owner, resumable, 0, content)).status, 404)
    assert.equal(await direct.end(), 404)
    await form.send(form.payload.subarray(SIZE / 2))
    form.end()
    assert.equal((await form.answer).status, 404)
    assert.equal((await tenant.owner.post(`/files/${kept.body.id}/restore`)).status, 404)
    assert.deepEqual((await tenant.owner.get('/files')).body.data, [])
  })
})

describe('the last room of a quota', () => {
  it('is enough for a file with fields behind it', async () => {
    await setQuota(test, tenant, 1_000)
    const part = (head: string, body: string) => `--b\r\nContent-Disposition: form-data; ${head}\r\n\r\n${body}\r\n`
    const file = (bytes: number) => part('name="file"; filename="a.txt"', 'a'.repeat(bytes))
    const sent = (bytes: number) => Buffer.from(`${file(bytes)}${part('name="is_public"', 'false')}--b--\r\n`)
    const post = (payload: Buffer) =>
      tenant.owner.request('POST', '/files', {
        payload,
        headers: { 'content-type': 'multipart/form-data; boundary=b', 'content-length': String(payload.length) },
      })
    assert.equal((await post(sent(1_001))).status, 402)
    await assertNothingLeft(test, tenant)
    assert.equal((await post(sent(1_000))).status, 201)
  })
})

describe('a completion with an Idempotency-Key', () => {
  it('that came too early is none: the same key completes the upload later', async () => {
    const direct = await directUnderWay(tenant.owner)
    const complete = () =>
      tenant.owner.request('POST', `/files/uploads/${direct.id}/complete`, { headers: { 'idempotency-key': 'once' } })
    const early = await complete()
    assert.deepEqual([early.status, early.headers['retry-after']], [409, '1'])
    assert.equal(await direct.send(), 204)
    assert.equal((await complete()).status, 201)
    assert.equal((await complete()).status, 201, 'and once more it is the same')
    assert.equal((await uploaded(tenant.owner)).size, 8)
  })
})
