import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { contrast } from '#kernel'
import { createTestCore, type TestCore, type TestPerson } from '../../testing/index.ts'
import { formOf, look, paint } from '../pictures/pictures.fixture.ts'

let t: TestCore
before(async () => {
  t = await createTestCore({ env: { PUBLIC_URL: 'https://app.example.com' } })
})
after(() => t.close())

const put = (who: TestPerson, body: object) => who.put('/tenants/current/branding', body)

describe('a primary colour', () => {
  test('that could not be seen on white is refused with its contrast, and the one before stays', async () => {
    const { owner } = await t.foundTenant()
    assert.equal((await put(owner, { primary_color: '#1a73e8' })).status, 200)
    for (const [color, ratio] of [
      ['#ffffff', '1.00'],
      ['#FFCC00', '1.51'],
      ['#969696', '2.95'],
    ] as const) {
      const { status, body } = await put(owner, { primary_color: color, email_from_name: 'Acme' })
      assert.deepEqual([status, body.code, body.errors.length], [400, 'invalid_request', 1])
      const [{ pointer, detail }] = body.errors
      assert.equal(pointer, '#/primary_color')
      assert.match(detail, new RegExp(`contrast of ${ratio} to white, and 3 is the least`))
    }
    const { body } = await owner.get('/tenants/current/branding')
    assert.deepEqual([body.primary_color, body.email_from_name], ['#1a73e8', null])
  })

  test('that can be seen is taken, at the very edge too; the accent colour may be any', async () => {
    const { owner } = await t.foundTenant()
    for (const primary_color of ['#949494', '#000000', '#d97706', '#1A73E8', null]) {
      assert.ok(primary_color === null || contrast(primary_color.toLowerCase(), '#ffffff') >= 3)
      assert.equal((await put(owner, { primary_color })).body.primary_color, primary_color)
    }
    assert.equal((await put(owner, { accent_color: '#ffff00' })).body.accent_color, '#ffff00')
  })

  test('is refused together with what else is wrong', async () => {
    const { owner } = await t.foundTenant()
    const { body } = await put(owner, { primary_color: '#ffffff', accent_color: 'red' })
    const pointers = body.errors.map(({ pointer }: { pointer: string }) => pointer)
    assert.deepEqual(pointers.sort(), ['#/accent_color', '#/primary_color'])
  })
})

describe('mails of a tenant', () => {
  const invite = async (owner: TestPerson) => {
    const { body } = await owner.post('/users/invite', { email: `${crypto.randomUUID()}@example.com` })
    await t.drainJobs(owner.tenantId)
    const [mail] = await t.mails(body.email)
    return mail?.html ?? ''
  }

  test('have its logo and colours from the moment they are set, and none of another tenant', async () => {
    const [shop, other] = [await t.foundTenant({ name: 'Blue Bottle' }), await t.foundTenant()]
    await put(shop.owner, { primary_color: '#7c3aed', accent_color: '#f59e0b' })
    const { body } = await shop.owner.request('POST', '/tenants/current/logo', formOf(await paint(400, 100)))
    const html = await invite(shop.owner)
    const [, source = '', attributes = ''] = /<img src="([^"]+)" alt="Blue Bottle" ([^>]*)>/.exec(html) ?? []
    assert.equal(source, `${body.logo_url}?size=128&amp;format=png`)
    assert.match(attributes, /^width="160" height="40" style="width:160px;max-width:100%;height:auto/)
    assert.match(html, /background:#7c3aed;color:#ffffff/)
    assert.match(html, /border-top:4px solid #f59e0b/)
    const shown = await look(t, source.replace('&amp;', '&'))
    assert.deepEqual([shown.status, shown.headers['content-type']], [200, 'image/png'])
    assert.doesNotMatch(await invite(other.owner), /<img|7c3aed|f59e0b/)
    await shop.owner.delete('/tenants/current/logo')
    assert.doesNotMatch(await invite(shop.owner), /<img/)
  })
})
