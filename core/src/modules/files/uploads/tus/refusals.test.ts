import assert, { partialDeepStrictEqual as has } from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { after, before, beforeEach, describe, it } from 'node:test'
import { MINUTES } from '#kernel'
import type { TestCore, TestTenant } from '../../../../testing/index.ts'
import { until } from '../../../../testing/until.ts'
import { assertNothingLeft, createFileCore, holdings, MiB, PNG, pointersOf } from '../../files.fixture.ts'
import { giveUpExpired } from '../upkeep.ts'
import { EXPIRES_MS } from './lease.ts'
import { begin, begun, isBeingSent, letters, look, offsetOf, patchSlowly, send, TUS } from './tus.fixture.ts'

const APP = 'https://app.example.com'
let test: TestCore
let tenant: TestTenant
let port: number
before(async () => {
  test = await createFileCore({ env: { CORS_ORIGINS: APP } })
  await test.app.listen({ port: 0, host: '127.0.0.1' })
  port = (test.app.server.address() as AddressInfo).port // it listens on a port
})
after(() => test?.close())
beforeEach(async () => {
  tenant = await test.foundTenant()
})

const storeOf = async ({ owner }: TestTenant): Promise<string> => (await owner.get('/stores')).body.data[0].id
const METADATA = 'headers/upload-metadata'

describe('the version of the protocol', () => {
  it('is told to whoever asks, without a credential', async () => {
    const { status, headers } = await test.request('OPTIONS', '/api/v1/files/tus')
    assert.equal(status, 204)
    has(headers, {
      ...TUS,
      'tus-version': '1.0.0',
      'tus-extension': 'creation,creation-with-upload,expiration,termination',
      'tus-max-size': String(8 * MiB),
    })
  })

  it('is on every answer, and another one, or none, is 412', async () => {
    const id = await begun(tenant.owner, 10)
    const wrong: Record<string, string>[] = [{ 'tus-resumable': '0.2.2' }, {}]
    for (const version of wrong) {
      const answers = [
        await tenant.owner.request('GET', `/files/tus/${id}`, { headers: version }),
        await tenant.owner.request('DELETE', `/files/tus/${id}`, { headers: version }),
        await tenant.owner.request('PATCH', `/files/tus/${id}`, { headers: { ...version, 'upload-offset': '0' } }),
      ]
      for (const { status, headers, body } of answers) {
        assert.deepEqual([status, body.code], [412, 'tus_version_unknown'])
        has(headers, { ...TUS, 'tus-version': '1.0.0' })
      }
    }
    assert.equal(await offsetOf(tenant.owner, id), 0, 'it is still there')
    has(await test.request('GET', `/api/v1/files/tus/${id}`), { status: 401, headers: TUS })
  })
})

describe('pages of other origins', () => {
  it('may send what the protocol needs, and read what it answers', async () => {
    for (const path of ['/files/tus', `/files/tus/${await begun(tenant.owner, 10)}`]) {
      const { statusCode, headers } = await test.app.inject({
        method: 'OPTIONS',
        url: `/api/v1${path}`,
        headers: {
          origin: APP,
          'access-control-request-method': 'PATCH',
          ...{ 'access-control-request-headers': 'x' },
        },
      })
      assert.equal(statusCode, 204)
      assert.equal(headers['access-control-allow-origin'], APP)
      assert.match(String(headers['access-control-allow-headers']), /tus-resumable/)
    }
    const { headers } = await begin(tenant.owner, 10, {}, { origin: APP })
    for (const name of ['upload-offset', 'upload-expires', 'tus-max-size', 'tus-resumable', 'location'])
      assert.match(String(headers['access-control-expose-headers']).toLowerCase(), new RegExp(`(^|, )${name}(,|$)`))
    const plain = await test.request('OPTIONS', '/api/v1/files/tus', { headers: { origin: APP } })
    has(plain, { status: 204, headers: { 'tus-version': '1.0.0', 'access-control-allow-origin': APP } })
  })
})

describe('an upload begins only', () => {
  const wrong: [why: string, fields: Record<string, string>, status: number][] = [
    ['with a name', { filename: '' }, 400],
    ['with a name that is one', { filename: '../' }, 400],
    ['as a kind of file that is taken', { filename: 'a.exe' }, 415],
    ['as what its declared type is', { filename: 'a.png', filetype: 'text/plain' }, 415],
    ['with both that name what it belongs to', { entity_type: 'store' }, 400],
    ['for something that has files', { entity_type: 'cloud', entity_id: crypto.randomUUID() }, 400],
    ['for an id that is one', { entity_type: 'store', entity_id: '7' }, 400],
    ['open or not', { is_public: 'perhaps' }, 400],
  ]
  for (const [why, fields, status] of wrong)
    it(`${why}`, async () => {
      const answer = await begin(tenant.owner, 10, fields)
      assert.deepEqual([answer.status, pointersOf(answer)], [status, [METADATA]], answer.text)
      assert.equal((await holdings(test, tenant.id)).used, 0)
    })

  it('with headers as tus has them', async () => {
    for (const metadata of ['filename', 'filename ???', 'filename YQ==,filename YQ==', ' ', ',', 'Größe YQ=='])
      assert.equal((await begin(tenant.owner, 10, {}, { 'upload-metadata': metadata })).status, 400, metadata)
    for (const length of ['0', '-1', '1.5', 'many', ''])
      assert.deepEqual(pointersOf(await begin(tenant.owner, length)), ['headers/upload-length'], length)
    assert.equal((await holdings(test, tenant.id)).used, 0)
  })

  it('for what takes it, and by whoever may change that', async () => {
    const entity_id = await storeOf(tenant)
    const painting = { entity_type: 'painting', entity_id, filename: 'a.png' }
    const clerk = await tenant.member({ permissions: ['file.create', 'file.view'], store: entity_id })
    assert.equal((await begin(clerk, PNG.length, painting)).status, 403)
    assert.equal((await begin(clerk, 10)).status, 404, 'of the whole tenant')
    const own = await begun(clerk, 10, {}, { 'x-store-id': entity_id })
    assert.equal((await send(clerk, own, 0, letters(10))).status, 204)
    assert.equal((await begin(tenant.owner, 10, { ...painting, filename: 'a.txt' })).status, 415)
    assert.equal((await begin(tenant.owner, 100_001, painting)).status, 413)
    const others = await test.foundTenant()
    assert.equal((await begin(others.owner, 10, { entity_type: 'store', entity_id })).status, 404)
    const ids = [await begun(tenant.owner, PNG.length, painting)]
    for (let at = 0; at < 2; at++) ids.push(await begun(tenant.owner, PNG.length, painting))
    const statuses: number[] = []
    for (const id of ids) statuses.push((await send(tenant.owner, id, 0, PNG)).status)
    assert.deepEqual(statuses, [204, 204, 409], 'it has two files, and no more')
    assert.equal((await begin(tenant.owner, PNG.length, painting)).status, 409)
  })
})

describe('an upload under way', () => {
  it('is nobody else’s: neither of the tenant, nor of another', async () => {
    const id = await begun(tenant.owner, 100)
    const strangers = [await tenant.member({ role: 'owner' }), (await test.foundTenant()).owner]
    for (const stranger of strangers) {
      assert.equal((await look(stranger, id)).status, 404)
      assert.equal((await send(stranger, id, 0, letters(100))).status, 404)
      assert.equal((await stranger.request('DELETE', `/files/tus/${id}`, { headers: TUS })).status, 404)
    }
    assert.equal(await offsetOf(tenant.owner, id), 0)
  })

  it('takes bytes at its own offset and in its own type alone', async () => {
    const id = await begun(tenant.owner, 100)
    const { status, body, headers } = await send(tenant.owner, id, 7, letters(10))
    assert.deepEqual([status, body.code], [409, 'upload_offset_conflict'])
    has(headers, TUS)
    for (const offset of ['-1', '1e1x', 'x', '']) {
      const answer = await send(tenant.owner, id, 0, letters(10), { 'upload-offset': offset })
      assert.deepEqual(pointersOf(answer), ['headers/upload-offset'], offset)
    }
    assert.equal((await send(tenant.owner, id, 0, letters(10), { 'content-type': 'text/plain' })).status, 415)
    assert.equal(await offsetOf(tenant.owner, id), 0)
  })

  it('is given up with its quota and its pieces, by whoever began it', async () => {
    const id = await begun(tenant.owner, 100_000)
    assert.equal((await send(tenant.owner, id, 0, letters(50_000))).status, 204)
    assert.equal((await tenant.owner.request('DELETE', `/files/tus/${id}`, { headers: TUS })).status, 204)
    assert.equal((await look(tenant.owner, id)).status, 404)
    await assertNothingLeft(test, tenant)
  })

  it('that was given up stops whoever sends, and leaves nothing', async () => {
    const id = await begun(tenant.owner, 3 * MiB)
    const slow = await patchSlowly({ port, who: tenant.owner }, { id, offset: 0, length: 3 * MiB })
    await slow.write(letters(1 * MiB))
    await until('it writes', () => isBeingSent(test, id))
    assert.equal((await tenant.owner.request('DELETE', `/files/tus/${id}`, { headers: TUS })).status, 204)
    await test.drainJobs(tenant.id)
    slow.request.end(letters(2 * MiB))
    assert.ok([404, 409].includes((await slow.answer).status))
    await assertNothingLeft(test, tenant)
  })
})

// Last, since it moves the clock.
describe('an upload that stands still', () => {
  it('gives its quota back a day after its last bytes', async () => {
    const id = await begun(tenant.owner, 1_000)
    test.clock.advance(EXPIRES_MS - 10 * MINUTES)
    assert.equal((await send(tenant.owner, id, 0, letters(10))).status, 204)
    test.clock.advance(EXPIRES_MS - 10 * MINUTES)
    await test.runSchedule(giveUpExpired)
    assert.equal(await offsetOf(tenant.owner, id), 10, 'the bytes have put it off')
    test.clock.advance(11 * MINUTES)
    assert.equal((await look(tenant.owner, id)).status, 404)
    assert.equal((await send(tenant.owner, id, 10, letters(10))).status, 404)
    await test.runSchedule(giveUpExpired)
    await assertNothingLeft(test, tenant)
  })
})
