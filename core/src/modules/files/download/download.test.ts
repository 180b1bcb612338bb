import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { TestCore, TestTenant } from '../../../testing/index.ts'
import { createFileCore, historyOf, picture, text, uploaded } from '../files.fixture.ts'

let test: TestCore
let tenant: TestTenant
// biome-ignore lint/suspicious/noExplicitAny: a file as the API shows it
let file: any
const CONTENT = '0123456789abcdefghijklmnopqrstuvwxyz'
before(async () => {
  test = await createFileCore()
  tenant = await test.foundTenant()
  file = await uploaded(tenant.owner, text(CONTENT, 'Größe „x“ 🎉.txt'))
})
after(() => test?.close())

const get = (headers: Record<string, string> = {}, query = '', method: 'GET' | 'HEAD' = 'GET') =>
  test.request(method, `/api/v1/files/${file.id}/download${query}`, { headers })

const ask = async (headers: Record<string, string> = {}, query = '', method: 'GET' | 'HEAD' = 'GET') =>
  get({ authorization: `Bearer ${await tenant.owner.token()}`, ...headers }, query, method)

describe('a download', () => {
  it('is what was uploaded, under its name, and nothing that a browser would run or guess', async () => {
    const { status, text: content, headers } = await ask()
    assert.deepEqual([status, content], [200, CONTENT])
    assert.partialDeepStrictEqual(headers, {
      'content-type': 'text/plain',
      'content-length': String(CONTENT.length),
      'x-content-type-options': 'nosniff',
      'accept-ranges': 'bytes',
      'cache-control': 'no-store',
      'cross-origin-resource-policy': 'same-origin',
      etag: `"${file.checksum_sha256}"`,
    })
    assert.match(String(headers['content-security-policy']), /default-src 'none'.*sandbox$/)
    assert.equal(
      headers['content-disposition'],
      `attachment; filename="Gro_e _x_ _.txt"; filename*=UTF-8''Gr%C3%B6%C3%9Fe%20%E2%80%9Ex%E2%80%9C%20%F0%9F%8E%89.txt`,
    )
  })

  it('may be one part of it', async () => {
    const parts: [range: string, status: number, content: string, contentRange: string | undefined][] = [
      ['bytes=0-3', 206, '0123', 'bytes 0-3/36'],
      ['bytes=10-', 206, CONTENT.slice(10), 'bytes 10-35/36'],
      ['bytes=-5', 206, 'vwxyz', 'bytes 31-35/36'],
      ['bytes=30-1000', 206, CONTENT.slice(30), 'bytes 30-35/36'],
      ['bytes=0-1,5-6', 200, CONTENT, undefined],
      ['pages=1-2', 200, CONTENT, undefined],
      ['bytes=9-3', 200, CONTENT, undefined],
    ]
    for (const [range, status, content, contentRange] of parts) {
      const answer = await ask({ range })
      assert.deepEqual(
        [answer.status, answer.text, answer.headers['content-range']],
        [status, content, contentRange],
        range,
      )
      assert.equal(answer.headers['content-length'], String(content.length))
    }
    // As long as headers may be, whatever they ask for.
    assert.equal((await ask({ range: `bytes=${'0-1,'.repeat(500)}` })).status, 200)
    assert.equal((await ask({ range: 'bytes=0-1', 'if-range': '"x"'.repeat(500) })).status, 200)
    const beyond = await ask({ range: 'bytes=36-' })
    assert.deepEqual(
      [beyond.status, beyond.body.code, beyond.headers['content-range']],
      [416, 'range_not_satisfiable', 'bytes */36'],
    )
  })

  it('goes on with a part only of the same file', async () => {
    const etag = `"${file.checksum_sha256}"`
    assert.equal((await ask({ range: 'bytes=5-', 'if-range': etag })).status, 206)
    assert.equal((await ask({ range: 'bytes=5-', 'if-range': '"another"' })).status, 200)
    assert.equal((await ask({ range: 'bytes=5-', 'if-range': `W/${etag}` })).status, 200)
  })

  it('is 304 for whoever has it, and HEAD says all but the content', async () => {
    const etag = `"${file.checksum_sha256}"`
    for (const known of [etag, `"x", W/${etag}`, '*']) {
      const { status, text: content, headers } = await ask({ 'if-none-match': known })
      assert.deepEqual([status, content, headers.etag], [304, '', etag])
    }
    assert.equal((await ask({ 'if-none-match': etag, range: 'bytes=0-1' })).status, 304)
    const { status, headers, text: content } = await ask({}, '', 'HEAD')
    assert.deepEqual([status, content, headers['content-length'], headers.etag], [200, '', '36', etag])
    const part = await ask({ range: 'bytes=5-' }, '', 'HEAD')
    assert.deepEqual(
      [part.status, part.headers['content-length'], part.headers['content-range']],
      [200, '36', undefined],
    )
  })

  it('is recorded when it begins, and only then: not for HEAD, a 304 or every part of it', async () => {
    const before = await historyOf(test, file.id)
    await ask({}, '', 'HEAD')
    await ask({ 'if-none-match': '*' })
    assert.deepEqual(await historyOf(test, file.id), before)
    const other = await uploaded(tenant.owner, text(CONTENT))
    const part = (range: string) => tenant.owner.request('GET', `/files/${other.id}/download`, { headers: { range } })
    // Who leaves out the first byte has taken it too; of many parts one is enough.
    for (const range of ['bytes=1-', 'bytes=0-3', 'bytes=4-', 'bytes=-5']) assert.equal((await part(range)).status, 206)
    assert.deepEqual(await historyOf(test, other.id), ['file.created', 'file.downloaded'])
    test.clock.advance(60 * 60_000)
    await part('bytes=1-')
    assert.deepEqual(await historyOf(test, other.id), ['file.created', 'file.downloaded', 'file.downloaded'])
  })

  it('is shown by a browser only where that is asked for, and only what may be', async () => {
    const { headers: shown } = await ask({}, '?inline=true')
    assert.match(String(shown['content-disposition']), /^inline; /)
    assert.equal(shown['content-type'], 'text/plain; charset=utf-8')
    const archive = await uploaded(tenant.owner, { name: 'a.json', content: '{}', type: 'application/json' })
    const { headers } = await tenant.owner.get(`/files/${archive.id}/download?inline=true`)
    assert.match(String(headers['content-disposition']), /^attachment; /)
    const dot = await uploaded(tenant.owner, picture())
    assert.match(
      String((await tenant.owner.get(`/files/${dot.id}/download?inline=true`)).headers['content-disposition']),
      /^inline/,
    )
  })

  it('of a file that the storage has lost is 404, and everybody is told that it is missing', async () => {
    const lost = await uploaded(tenant.owner, text('lost'))
    await test.core.storage.delete(`files/${tenant.id}/${lost.id}`)
    assert.equal((await tenant.owner.get(`/files/${lost.id}/download`)).status, 404)
    assert.notEqual((await tenant.owner.get(`/files/${lost.id}`)).body.missing_at, null)
    assert.deepEqual(await historyOf(test, lost.id), ['file.created', 'file.lost'])
    assert.ok(test.logs.some((line) => line.includes('the storage is without a file') && line.includes(lost.id)))
    await tenant.owner.get(`/files/${lost.id}/download`)
    assert.deepEqual(await historyOf(test, lost.id), ['file.created', 'file.lost'], 'once')
  })
})

describe('who downloads', () => {
  it('sees the thing that the file belongs to', async () => {
    const store = (await tenant.owner.post('/stores', { name: 'South' })).body.id
    const fields = { entity_type: 'painting', entity_id: store }
    const { id } = await uploaded(tenant.owner, picture(), fields)
    const sees = await tenant.member({ permissions: ['file.view', 'painting.view'], store })
    const elsewhere = await tenant.member({
      permissions: ['file.view', 'painting.view'],
      store: (await tenant.owner.get('/stores?q=MAIN')).body.data[0].id,
    })
    const onlyFiles = await tenant.member({ permissions: ['file.view'] })
    const everything = await tenant.member({ permissions: ['file.view', 'painting.view'] })
    const expected: [who: typeof sees, status: number][] = [
      [sees, 200],
      [everything, 200],
      [elsewhere, 404],
      [onlyFiles, 403],
    ]
    for (const [who, status] of expected)
      for (const path of [`/files/${id}`, `/files/${id}/download`] as const)
        assert.equal((await who.get(path)).status, status, path)
    const listed = async (who: typeof sees, query = '') =>
      (await who.get(`/files${query}`)).body.data?.some((each: { id: string }) => each.id === id)
    assert.deepEqual(await Promise.all([sees, everything, elsewhere, onlyFiles].map((who) => listed(who))), [
      true,
      true,
      false,
      false,
    ])
    assert.equal(await listed(sees, `?entity_type=painting&entity_id=${store}`), true)
    assert.equal((await onlyFiles.get(`/files?entity_type=painting&entity_id=${store}`)).status, 403)
  })

  it('of what belongs to nothing but a store works there', async () => {
    const [north, south] = await Promise.all(
      ['North', 'Harbour'].map(async (name) => (await tenant.owner.post('/stores', { name })).body.id),
    )
    const form = { file: text('of the north') }
    const { id } = (await tenant.owner.request('POST', '/files', { form, headers: { 'x-store-id': north } })).body
    const [there, elsewhere] = await Promise.all(
      [north, south].map((store) => tenant.member({ permissions: ['file.view', 'file.update', 'file.delete'], store })),
    )
    const has = async (who: typeof there) =>
      (await who?.get('/files'))?.body.data.some((each: { id: string }) => each.id === id)
    assert.deepEqual([await has(there), await has(elsewhere)], [true, false])
    const statuses = async (who: typeof there) => [
      (await who?.get(`/files/${id}`))?.status,
      (await who?.get(`/files/${id}/download`))?.status,
      (await who?.put(`/files/${id}`, { is_public: false }))?.status,
      (await who?.post(`/files/${id}/link`, {}))?.status,
      (await who?.delete(`/files/${id}`))?.status,
      (await who?.post(`/files/${id}/restore`))?.status,
    ]
    assert.deepEqual(await statuses(elsewhere), [404, 404, 404, 404, 404, 404])
    assert.deepEqual(await statuses(there), [200, 200, 200, 201, 204, 200])
  })

  it('of a public file needs no credential, as long as it is public and the tenant is there', async () => {
    const { id } = await uploaded(tenant.owner, text('open to all'), { is_public: true })
    const { url } = (await tenant.owner.get(`/files/${id}`)).body
    const open = () => test.request('GET', new URL(url).pathname)
    const { status, text: content, headers } = await open()
    assert.deepEqual([status, content], [200, 'open to all'])
    assert.partialDeepStrictEqual(headers, {
      'cache-control': 'public, max-age=300',
      'cross-origin-resource-policy': 'cross-origin',
    })
    await tenant.owner.put(`/files/${id}`, { is_public: false })
    assert.equal((await open()).status, 404)
    await tenant.owner.put(`/files/${id}`, { is_public: true })
    await tenant.owner.delete(`/files/${id}`)
    assert.equal((await open()).status, 404, 'the trash is not public')
    await tenant.owner.post(`/files/${id}/restore`)
    await test.core.db.systemQuery("update tenants set status = 'suspended' where id = $1", [tenant.id])
    assert.equal((await open()).status, 404)
    await test.core.db.systemQuery("update tenants set status = 'active' where id = $1", [tenant.id])
  })
})
