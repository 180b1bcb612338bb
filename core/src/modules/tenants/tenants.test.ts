import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Ctx, isUuid, newId } from '#kernel'
import type { TestCore, TestPerson } from '../../testing/index.ts'
import { createAuthCore } from '../auth/auth.fixture.ts'
import { changeOwner, listTenants, tenants } from './index.ts'

const CURRENT = '/tenants/current'
const PARALLEL = 20
let t: TestCore

before(async () => {
  t = await createAuthCore()
})
after(() => t.close())

const get = (who: TestPerson, path = '') => who.get(`${CURRENT}${path}`)
const put = (who: TestPerson, body: unknown, path = '') => who.put(`${CURRENT}${path}`, body)
const post = (who: TestPerson, body: unknown) => who.post('/tenants', body)
const slugOf = async (who: TestPerson) => (await get(who)).body.slug
const pointers = (body: { errors: { pointer: string }[] }) =>
  [...new Set(body.errors.map(({ pointer }) => pointer))].sort()

/** What was recorded of the tenant itself, oldest first. */
async function actionsOf(tenantId: string): Promise<string[]> {
  const read = (ctx: Ctx) =>
    ctx.tx
      .selectFrom('audit_logs')
      .select('action')
      .where('tenant_id', '=', tenantId)
      .where('action', 'like', 'tenant%')
      .orderBy('id')
      .execute()
  return (await t.core.run(read, { tenantId })).map(({ action }) => action)
}

/** The directory row of a slug, and how many tenants there are. */
function directory(slug: string) {
  return t.core.run(
    async (ctx) => ({
      tenantId: (await ctx.tx.selectFrom('tenant_slugs').selectAll().where('slug', '=', slug).executeTakeFirst())
        ?.tenant_id,
      tenants: (await ctx.tx.selectFrom('tenants').select('id').execute()).length,
    }),
    { role: 'system' },
  )
}

describe('founding a tenant', () => {
  test('gives the caller a tenant of their own, also when they belong to none', async () => {
    const person = await t.addPerson()
    const { status, body, headers } = await post(person, { name: ' Blue Bottle ' })
    assert.equal(status, 201)
    const { id, created_at, updated_at, ...rest } = body
    assert.ok(isUuid(id))
    assert.equal(created_at, updated_at)
    const branding = { logo_url: null, primary_color: null, accent_color: null, email_from_name: null }
    assert.deepEqual(rest, {
      name: 'Blue Bottle',
      slug: 'blue-bottle',
      status: 'active',
      owner_id: person.userId,
      branding,
    })
    assert.equal(headers.location, `/api/v1${CURRENT}`)
    assert.deepEqual((await get(person.in(id))).body, body)
    assert.equal((await directory('blue-bottle')).tenantId, id)
    assert.deepEqual(await actionsOf(id), ['tenant.created'])
  })

  test('makes a valid slug of any name', async () => {
    const { owner } = await t.foundTenant()
    const slugOf = async (name: string) => (await post(owner, { name })).body.slug
    assert.equal(await slugOf('Société Générale & Söhne'), 'societe-generale-sohne')
    assert.equal(await slugOf("O'Neill's Straße"), 'oneills-strasse')
    assert.match(await slugOf("O'Neill's Strasse"), /^oneills-strasse-[a-z0-9]{6}$/)
    assert.match(await slugOf('Admin'), /^admin-[a-z0-9]{6}$/)
    assert.match(await slugOf('北京'), /^tenant-[a-z0-9]{6}$/)
    assert.match(await slugOf('AB'), /^ab-[a-z0-9]{6}$/)
    const id = newId()
    assert.match(await slugOf(id), new RegExp(`^${id}-[a-z0-9]{6}$`))
    const long = `${'a'.repeat(62)} bcd`
    assert.equal(await slugOf(long), 'a'.repeat(62))
    assert.match(await slugOf(long), /^a{56}-[a-z0-9]{6}$/)
  })

  test('takes a slug that was asked for, or says why not and leaves nothing', async () => {
    const { owner } = await t.foundTenant()
    assert.equal((await post(owner, { name: 'X', slug: 'x-1-y' })).body.slug, 'x-1-y')
    const before = await directory('x-1-y')
    const taken = await post(owner, { name: 'Y', slug: 'x-1-y' })
    assert.deepEqual([taken.status, taken.body.code], [409, 'slug_taken'])
    for (const slug of ['admin', 'ab', 'a'.repeat(64), 'Upper', '-ab', 'ab-', 'a--b', 'a_b', 'é-é', '', newId()]) {
      const { status, body } = await post(owner, { name: 'Z', slug })
      assert.deepEqual([status, ...pointers(body)], [400, '#/slug'], slug)
    }
    assert.deepEqual(pointers((await post(owner, { name: ' ', owner_id: 1 })).body), ['#/name', '#/owner_id'])
    assert.deepEqual(await directory('x-1-y'), before)
  })

  test('20 parallel requests for one slug give one tenant; for one name, 20 tenants', async () => {
    const { owner } = await t.foundTenant()
    const before = await directory('wanted')
    const same = await Promise.all(Array.from({ length: PARALLEL }, () => post(owner, { name: 'Any', slug: 'wanted' })))
    assert.deepEqual(same.map(({ status, body }) => body.code ?? status).sort(), [
      201,
      ...Array(PARALLEL - 1).fill('slug_taken'),
    ])
    assert.equal((await directory('wanted')).tenants, before.tenants + 1)
    const two = [owner, (await t.foundTenant()).owner]
    const named = await Promise.all(
      Array.from({ length: PARALLEL }, (_, i) => post(two[i % 2]!, { name: 'Popular' })), // one of two
    )
    assert.equal(new Set(named.map(({ body }) => body.slug)).size, PARALLEL)
  })

  test('40 parallel requests found no more than one person may, and another is not kept from it', async () => {
    const { owner } = await t.foundTenant()
    const answers = await Promise.all(Array.from({ length: 2 * PARALLEL }, () => post(owner, { name: 'Many' })))
    assert.deepEqual(answers.map(({ status, body }) => body.code ?? status).sort(), [
      ...Array(19).fill(201),
      ...Array(2 * PARALLEL - 19).fill('permission_denied'),
    ])
    assert.equal((await post((await t.foundTenant()).owner, { name: 'Many' })).status, 201)
  })
})

describe('the current tenant', () => {
  test('is renamed; its slug moves in the directory and the old one is free', async () => {
    const { owner, id } = await t.foundTenant({ name: 'Old Name' })
    const slug = await slugOf(owner)
    const { body } = await put(owner, { name: ' New Name ', slug: 'new-name' })
    assert.deepEqual([body.name, body.slug], ['New Name', 'new-name'])
    assert.equal((await directory('new-name')).tenantId, id)
    assert.equal((await directory(slug)).tenantId, undefined)
    assert.equal((await post(await t.addPerson(), { name: 'Anything', slug })).body.slug, slug)
    assert.deepEqual((await put(owner, { name: 'New Name' })).body, body)
    assert.deepEqual((await put(owner, {})).body, body)
    assert.deepEqual(await actionsOf(id), ['tenant.created', 'tenant.updated'])
  })

  test('refuses a slug that is taken, and keeps its name then', async () => {
    const other = await t.foundTenant({ name: 'Other' })
    const { owner, id } = await t.foundTenant({ name: 'Acme' })
    const slug = await slugOf(owner)
    const { status, body } = await put(owner, { name: 'Changed', slug: await slugOf(other.owner) })
    assert.deepEqual([status, body.code], [409, 'slug_taken'])
    assert.deepEqual([(await get(owner)).body.name, (await directory(slug)).tenantId], ['Acme', id])
    assert.deepEqual(pointers((await put(owner, { slug: 'www', name: null, status: 'deleted' })).body), [
      '#/name',
      '#/slug',
      '#/status',
    ])
  })

  test('of 20 tenants that take one slug at once, one gets it', async () => {
    const all = []
    for (let i = 0; i < PARALLEL; i++) all.push((await t.foundTenant()).owner)
    const answers = await Promise.all(all.map((who) => put(who, { slug: 'contested' })))
    assert.equal(answers.filter(({ status }) => status === 200).length, 1)
    assert.equal(answers.filter(({ body }) => body.code === 'slug_taken').length, PARALLEL - 1)
    const winner = answers.find(({ status }) => status === 200)
    assert.equal((await directory('contested')).tenantId, winner?.body.id)
  })

  test('may get another owner, which is recorded', async () => {
    const { owner, id } = await t.foundTenant()
    const { userId } = await t.addPerson()
    await t.core.run((ctx) => changeOwner(ctx, userId), { tenantId: id })
    assert.equal((await get(owner)).body.owner_id, userId)
    assert.deepEqual(await actionsOf(id), ['tenant.created', 'tenant.updated'])
  })

  test('is read together with others by the system role', async () => {
    const ids = [(await t.foundTenant()).id, (await t.foundTenant()).id]
    const read = (ctx: Ctx) => listTenants(ctx.tx, ids)
    assert.deepEqual(
      (await t.core.run(read, { role: 'system' })).map(({ id }) => id),
      ids,
    )
  })
})

test('every route asks for a credential, for a tenant, and for its own permission', async () => {
  const shop = await t.foundTenant()
  const outsider = await t.addPerson()
  const routes = [
    ['GET', '', 'tenant.view'],
    ['PUT', '', 'tenant.update'],
    ['GET', '/branding', 'tenant.view'],
    ['PUT', '/branding', 'tenant.update'],
    ['GET', '/settings', 'tenant_settings.view'],
    ['PUT', '/settings', 'tenant_settings.update'],
  ] as const // the words are compared below
  for (const [method, path, permission] of routes) {
    const body = method === 'PUT' ? {} : undefined
    const ask = (who: TestPerson) => who.request(method, `${CURRENT}${path}`, { body })
    assert.equal((await t.request(method, `/api/v1${CURRENT}${path}`, { body })).body.code, 'unauthenticated')
    assert.equal((await ask(outsider)).body.code, 'tenant_required')
    const others = Object.keys(tenants.permissions).filter((code) => code !== permission)
    const refused = await ask(await shop.member({ permissions: others }))
    assert.deepEqual(
      [refused.status, refused.body.code, refused.body.permission],
      [403, 'permission_denied', permission],
    )
    assert.equal((await ask(await shop.member({ permissions: [permission] }))).status, 200)
  }
  assert.equal((await t.request('POST', '/api/v1/tenants', { body: { name: 'X' } })).status, 401)
})
