import assert, { partialDeepStrictEqual as has } from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { after, before, beforeEach, describe, it } from 'node:test'
import type { TestCore, TestTenant } from '../../../../testing/index.ts'
import { until } from '../../../../testing/until.ts'
import {
  assertNothingLeft,
  createFileCore,
  historyOf,
  holdings,
  MiB,
  MOST_BYTES,
  setQuota,
} from '../../files.fixture.ts'
import {
  begin,
  begun,
  idOf,
  isBeingSent,
  letters,
  look,
  metadataOf,
  offsetOf,
  patch,
  patchSlowly,
  send,
  sha256,
  TUS,
} from './tus.fixture.ts'
import { client } from './tus-client.fixture.ts'

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

const place = () => ({ port, who: tenant.owner })
const lastOf = (url: string) => url.split('/').at(-1) ?? ''

/** The file is there with this content, and nothing else is. */
async function assertFile(id: string, content: Buffer): Promise<void> {
  const { status, body } = await tenant.owner.get(`/files/${id}`)
  assert.equal(status, 200)
  has(body, { size: content.length, checksum_sha256: sha256(content), uploaded_by: tenant.owner.userId })
  const { text } = await tenant.owner.get(`/files/${id}/download`)
  assert.equal(sha256(text), sha256(content))
  await test.drainJobs(tenant.id)
  assert.deepEqual(await holdings(test, tenant.id), { files: 1, uploads: 0, used: content.length, objects: 1 })
}

describe('a client of tus', () => {
  it('uploads a file whole, which is there when it is told so', async () => {
    const content = letters(3 * MiB)
    const { done } = await client(place(), content)
    const id = lastOf(await done)
    assert.deepEqual(await historyOf(test, id), ['file.created'])
    await assertFile(id, content)
  })

  it('uploads in many requests, and in the one that begins it', async () => {
    for (const options of [
      { chunkSize: 400_000 },
      { uploadDataDuringCreation: true },
      { uploadDataDuringCreation: true, chunkSize: 400_000 },
    ]) {
      tenant = await test.foundTenant()
      const content = letters(1 * MiB)
      const { done } = await client(place(), content, options)
      await assertFile(lastOf(await done), content)
    }
  })

  it('pauses, and another one goes on from there', async () => {
    const content = letters(4 * MiB)
    const first = await client(place(), content, {
      chunkSize: 1 * MiB,
      onChunkComplete: () => void first.upload.abort(),
    })
    await until('it has paused', async () => (await holdings(test, tenant.id)).objects > 0)
    const id = lastOf(first.upload.url ?? '')
    await until('it has stopped', async () => (await offsetOf(tenant.owner, id)) >= 1 * MiB)
    const sent: number[] = []
    const second = await client(place(), content, {
      uploadUrl: first.upload.url,
      onProgress: (bytes) => sent.push(bytes),
    })
    assert.equal(lastOf(await second.done), id)
    assert.ok((sent[0] ?? 0) >= 1 * MiB, `it began at ${sent[0]}`)
    await assertFile(id, content)
  })

  it('finds a finished upload finished, and somebody else finds none', async () => {
    const content = letters(50_000)
    const id = await begun(tenant.owner, content.length)
    const last = await send(tenant.owner, id, 0, content)
    has(last, { status: 204, headers: { ...TUS, 'upload-offset': '50000', location: `/api/v1/files/${id}` } })
    has((await look(tenant.owner, id)).headers, { 'upload-offset': '50000', 'upload-length': '50000' })
    const again = await client(place(), content, { uploadUrl: `http://127.0.0.1:${port}/api/v1/files/tus/${id}` })
    assert.equal(lastOf(await again.done), id)
    const other = await tenant.member({ role: 'admin' })
    assert.equal((await look(other, id)).status, 404)
    await assertFile(id, content)
  })

  it('is told its metadata as it gave them, unknown ones included, and when it ends', async () => {
    const fields = { filename: 'Größe 🎉.txt', name: 'x', relativePath: 'a/b' }
    const { headers } = await look(tenant.owner, await begun(tenant.owner, 10, fields))
    assert.equal(headers['upload-metadata'], metadataOf(fields))
    const left = Date.parse(String(headers['upload-expires'])) - test.clock.ms()
    assert.ok(left > 23 * 3_600_000 && left <= 24 * 3_600_000, String(headers['upload-expires']))
    assert.equal(headers['cache-control'], 'no-store')
  })
})

describe('what breaks off', () => {
  it('is kept as far as it arrived, and goes on from there', async () => {
    const content = letters(2 * MiB)
    const id = await begun(tenant.owner, content.length)
    const slow = await patchSlowly(place(), { id, offset: 0, length: content.length })
    await slow.write(content.subarray(0, 700_000))
    await until('it arrives', () => isBeingSent(test, id))
    slow.request.destroy()
    assert.equal((await slow.answer).status, 0)
    await until('it is kept', async () => (await offsetOf(tenant.owner, id)) > 0)
    const kept = await offsetOf(tenant.owner, id)
    assert.ok(kept <= 700_000, `${kept} bytes are kept`)
    const { done } = await client(place(), content, { uploadUrl: `http://127.0.0.1:${port}/api/v1/files/tus/${id}` })
    assert.equal(lastOf(await done), id)
    await assertFile(id, content)
  })

  it('may be nothing at all', async () => {
    const id = await begun(tenant.owner, 100)
    has(await send(tenant.owner, id, 0, ''), { status: 204, headers: { 'upload-offset': '0' } })
  })

  it('may be less than shows what it is, again and again', async () => {
    const content = letters(40_000)
    const id = await begun(tenant.owner, content.length)
    for (const [from, to] of [
      [0, 5],
      [5, 10_000],
      [10_000, 16_384],
      [16_384, 16_385],
      [16_385, 40_000],
    ] as const)
      assert.equal((await send(tenant.owner, id, from, content.subarray(from, to))).status, 204)
    await assertFile(id, content)
  })
})

describe('an upload that is not what its name says', () => {
  it('is 415 as soon as it shows, and nothing of it stays', async () => {
    const id = await begun(tenant.owner, 1 * MiB, { filename: 'a.png' })
    assert.equal((await send(tenant.owner, id, 0, letters(5))).status, 204)
    const { status, body } = await send(tenant.owner, id, 5, letters(100_000))
    assert.deepEqual([status, body.code], [415, 'unsupported_media_type'])
    assert.equal((await look(tenant.owner, id)).status, 404)
    await assertNothingLeft(test, tenant)
  })

  it('and came with the request that began it leaves nothing either', async () => {
    const headers = { 'content-type': 'application/offset+octet-stream' }
    const answer = await tenant.owner.request('POST', '/files/tus', {
      payload: letters(20_000),
      headers: { ...TUS, ...headers, 'upload-length': '20000', 'upload-metadata': metadataOf({ filename: 'a.png' }) },
    })
    assert.equal(answer.status, 415)
    await assertNothingLeft(test, tenant)
  })
})

describe('more than was announced', () => {
  it('is 413, and nothing of it is kept', async () => {
    const id = await begun(tenant.owner, 1_000)
    has(await send(tenant.owner, id, 0, letters(1_001)), { status: 413, headers: TUS })
    const slow = await patchSlowly(place(), { id, offset: 0, length: null })
    slow.request.end(letters(2_000))
    assert.equal((await slow.answer).status, 413)
    assert.equal(await offsetOf(tenant.owner, id), 0)
    const content = letters(1_000)
    assert.equal((await patch(place(), id, 0, content)).status, 204)
    await assertFile(id, content)
  })

  it('in the request that begins an upload is 413, and none begins', async () => {
    const { status } = await tenant.owner.request('POST', '/files/tus', {
      payload: letters(200),
      headers: {
        ...TUS,
        'content-type': 'application/offset+octet-stream',
        'content-length': '200',
        'upload-length': '100',
        'upload-metadata': metadataOf({ filename: 'a.txt' }),
      },
    })
    assert.equal(status, 413)
    await assertNothingLeft(test, tenant)
  })

  it('than a file may have, or than the plan allows, is refused before it begins', async () => {
    has(await begin(tenant.owner, MOST_BYTES + 1), { status: 413, headers: TUS })
    await setQuota(test, tenant, 1_000)
    const id = await begun(tenant.owner, 999)
    has(await begin(tenant.owner, 2), { status: 402, body: { code: 'plan_limit_reached', max: 1_000 } })
    assert.equal((await begin(tenant.owner, 1)).status, 201)
    assert.equal((await begin(tenant.owner, 1)).status, 402)
    assert.equal((await tenant.owner.request('DELETE', `/files/tus/${id}`, { headers: TUS })).status, 204)
    const again = idOf(await begin(tenant.owner, 999))
    assert.equal((await send(tenant.owner, again, 0, letters(999))).status, 204)
    assert.equal((await holdings(test, tenant.id)).used, 1_000)
  })
})
