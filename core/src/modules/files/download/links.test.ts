import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import type { TestCore, TestPerson, TestTenant } from '../../../testing/index.ts'
import { createFileCore, historyOf, picture, text, uploaded } from '../files.fixture.ts'

let test: TestCore
let tenant: TestTenant
let giver: TestPerson
let id: string
before(async () => {
  test = await createFileCore()
  tenant = await test.foundTenant()
})
after(() => test?.close())
beforeEach(async () => {
  giver = await tenant.member({ permissions: ['file.view'] })
  id = (await uploaded(tenant.owner, text('secret plans'))).id
})

const link = async (who = giver, body: object = {}): Promise<{ url: string; expires_at: string }> => {
  const answer = await who.post(`/files/${id}/link`, body)
  assert.equal(answer.status, 201, answer.text)
  return answer.body
}
const open = (url: string) => test.request('GET', new URL(url).pathname)

describe('a link', () => {
  it('downloads its file without a credential, which is recorded, as making it is', async () => {
    const asked = test.clock.ms()
    const { url, expires_at } = await link()
    const ends = Date.parse(expires_at) - 3_600_000
    assert.ok(asked <= ends && ends <= test.clock.ms(), 'an hour after it was asked for')
    const { status, text: content, headers } = await open(url)
    assert.deepEqual([status, content, headers['cache-control']], [200, 'secret plans', 'no-store'])
    assert.deepEqual(await historyOf(test, id), ['file.created', 'file.linked', 'file.downloaded'])
    assert.equal((await test.request('GET', new URL(url).pathname, { headers: { range: 'bytes=0-5' } })).text, 'secret')
  })

  it('ends at its time, with 400 that says so', async () => {
    const { url } = await link(giver, { expires_in: 60 })
    test.clock.advance(60_000)
    const { status, body } = await open(url)
    assert.deepEqual([status, body.code], [400, 'token_expired'])
    for (const expires_in of [0, -1, 604_801, 1.5])
      assert.equal((await giver.post(`/files/${id}/link`, { expires_in })).status, 400)
  })

  it('ends with its file: in the trash, and removed', async () => {
    const { url } = await link()
    await tenant.owner.delete(`/files/${id}`)
    assert.equal((await open(url)).status, 404)
    assert.equal((await giver.post(`/files/${id}/link`, {})).status, 404)
    await tenant.owner.post(`/files/${id}/restore`)
    assert.equal((await open(url)).status, 200)
    await tenant.owner.delete(`/files/${id}`)
    await tenant.owner.delete('/files/trash')
    assert.equal((await open(url)).status, 404)
  })

  it('is worth what its giver may see when it is used', async () => {
    const { url } = await link()
    const { body } = await tenant.owner.get(`/users/${giver.userId}/roles`)
    await tenant.owner.delete(`/users/${giver.userId}/roles/${body.data[0].role_id}`)
    assert.equal((await open(url)).status, 404, 'who gave it may not see files any more')
    const another = await tenant.member({ permissions: ['file.view'] })
    const { url: theirs } = await link(another)
    await tenant.owner.put(`/users/${another.userId}`, { status: 'disabled' })
    assert.equal((await open(theirs)).status, 404)
    const third = await tenant.member({ permissions: ['file.view'] })
    const { url: last } = await link(third)
    await tenant.owner.delete(`/users/${third.userId}`)
    assert.equal((await open(last)).status, 404, 'who gave it has left')
  })

  it('to a file of a thing is worth what its giver may see of the thing', async () => {
    const entity_id = (await tenant.owner.get('/stores')).body.data[0].id
    const painting = await uploaded(tenant.owner, picture(), { entity_type: 'painting', entity_id })
    giver = await tenant.member({ permissions: ['file.view', 'painting.view'] })
    const { url } = (await giver.post(`/files/${painting.id}/link`, {})).body
    assert.equal((await open(url)).status, 200)
    const [{ role_id }] = (await tenant.owner.get(`/users/${giver.userId}/roles`)).body.data
    await tenant.owner.put(`/roles/${role_id}`, { permissions: ['file.view'] })
    assert.equal((await open(url)).status, 404)
  })

  it('ends when its giver is disabled everywhere, and works again when they are not', async () => {
    const { url } = await link()
    const set = (status: string) =>
      test.core.db.systemQuery('update users set status = $2 where id = $1', [giver.userId, status])
    await set('disabled')
    assert.equal((await open(url)).status, 404)
    await set('active')
    assert.equal((await open(url)).status, 200)
  })

  it('ends with its tenant', async () => {
    const { url } = await link()
    await test.core.db.systemQuery("update tenants set status = 'suspended' where id = $1", [tenant.id])
    assert.equal((await open(url)).status, 404)
    await test.core.db.systemQuery("update tenants set status = 'active' where id = $1", [tenant.id])
    assert.equal((await open(url)).status, 200)
  })

  it('cannot be changed or made up: every other token is 404', async () => {
    const { url } = await link()
    const at = url.lastIndexOf('/') + 1
    const token = url.slice(at)
    const bytes = Buffer.from(token, 'base64url')
    const others = Array.from(bytes, (byte, index) => {
      const changed = Buffer.from(bytes)
      changed[index] = byte ^ 1
      return changed.toString('base64url')
    })
    for (const other of [...others, token.slice(0, -1), `${token}A`, '', 'x', '%00', 'A'.repeat(200)]) {
      const { status } = await test.request('GET', new URL(url.slice(0, at) + other).pathname)
      assert.equal(status, 404, other)
    }
  })

  it('is made by people who see the file, and by no key', async () => {
    const nobody = await tenant.member({ permissions: ['store.view'] })
    assert.equal((await nobody.post(`/files/${id}/link`, {})).status, 403)
    const { body } = await tenant.owner.post('/api-keys', { name: 'Till', scopes: ['file.view'] })
    const { status } = await test.request('POST', `/api/v1/files/${id}/link`, { token: body.key, body: {} })
    assert.equal(status, 403)
  })
})
