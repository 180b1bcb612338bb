import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Method, newId } from '#kernel'
import { createTestCore, type TestCore } from '../../testing/index.ts'
import { authModules } from '../auth/auth.fixture.ts'
import { getSystemRole } from './index.ts'
import { type Company, foundCompany, narrowedSignIn, testRights } from './roles.fixture.ts'

let core: TestCore
let acme: Company
before(async () => {
  core = await createTestCore({
    modules: [...authModules, testRights, narrowedSignIn],
    env: { RATE_LIMIT_FACTOR: '0' },
  })
  acme = await foundCompany(core)
})
after(() => core.close())

const asOwner = (method: Method, url: `/${string}`, body?: unknown) => acme.owner.request(method, url, { body })
const make = (body: Record<string, unknown>) => asOwner('POST', '/roles', { name: `Role ${newId()}`, ...body })
const pointers = (body: { errors: { pointer: string }[] }) => body.errors.map(({ pointer }) => pointer).sort()

describe('system roles', () => {
  test('every tenant starts with the five, and the founder is the owner', async () => {
    const { body } = await asOwner('GET', '/roles?limit=100')
    const system = body.data.filter((role: { is_system: boolean }) => role.is_system)
    assert.deepEqual(
      system.map((role: { name: string; scope: string }) => [role.name, role.scope]),
      [
        ['owner', 'tenant'],
        ['admin', 'tenant'],
        ['manager', 'store'],
        ['staff', 'store'],
        ['viewer', 'store'],
      ],
    )
  })

  test('hold what the modules declare for them; the owner holds all', async () => {
    const all = (await asOwner('GET', '/permissions')).body.data.map((permission: { code: string }) => permission.code)
    const held = async (name: string): Promise<string[]> =>
      (await asOwner('GET', `/roles/${acme.roleIds[name]}`)).body.permissions
    assert.deepEqual(await held('owner'), all)
    assert.ok((await held('admin')).includes('role.create'))
    assert.ok(!(await held('admin')).includes('vault.open'))
    assert.ok((await held('staff')).includes('till.open'))
    assert.ok(!(await held('viewer')).includes('till.open'))
  })

  for (const name of ['owner', 'admin', 'manager', 'staff', 'viewer'])
    test(`${name} cannot be changed or deleted`, async () => {
      for (const [method, body] of [['PUT', { name: 'Mine' }], ['DELETE']] as const) {
        const answer = await asOwner(method, `/roles/${acme.roleIds[name]}`, body)
        assert.deepEqual([answer.status, answer.body.code], [403, 'permission_denied'])
      }
    })

  test('are found by key', async () => {
    const role = await acme.run(({ tx }) => getSystemRole(tx, acme.id, 'viewer'))
    assert.equal(role.id, acme.roleIds.viewer)
  })
})

describe('the permissions', () => {
  test('come with description, module and scope, to whoever may see roles', async () => {
    const { status, body } = await asOwner('GET', '/permissions')
    assert.equal(status, 200)
    assert.deepEqual(Object.keys(body), ['data'])
    const till = body.data.find((permission: { code: string }) => permission.code === 'till.open')
    assert.deepEqual(till, { code: 'till.open', description: 'Open tills', module: 'test-rights', scope: 'store' })
    const vault = body.data.find((permission: { code: string }) => permission.code === 'vault.open')
    assert.equal(vault.scope, 'tenant')
    assert.equal((await (await acme.addHolder('staff')).request('GET', '/permissions')).status, 403)
  })
})

describe('a role of the tenant’s own', () => {
  test('is made, read, changed and deleted', async () => {
    const made = await make({
      name: ' Night shift ',
      description: 'Late',
      scope: 'store',
      permissions: ['till.open', 'store.view', 'till.open'],
    })
    assert.equal(made.status, 201)
    assert.equal(made.headers.location, `/api/v1/roles/${made.body.id}`)
    const { id, created_at, updated_at, ...rest } = made.body
    assert.deepEqual(rest, {
      tenant_id: acme.id,
      name: 'Night shift',
      description: 'Late',
      scope: 'store',
      is_system: false,
      permissions: ['store.view', 'till.open'],
    })
    assert.deepEqual((await asOwner('GET', `/roles/${id}`)).body, made.body)
    core.clock.advance(1_000)
    const changed = await asOwner('PUT', `/roles/${id}`, { permissions: ['store.view'] })
    assert.equal(changed.status, 200)
    assert.deepEqual(
      [changed.body.name, changed.body.description, changed.body.permissions],
      ['Night shift', 'Late', ['store.view']],
    )
    assert.notEqual(changed.body.updated_at, updated_at)
    assert.equal(changed.body.created_at, created_at)
    assert.equal((await asOwner('DELETE', `/roles/${id}`)).status, 204)
    assert.equal((await asOwner('GET', `/roles/${id}`)).status, 404)
    assert.equal((await asOwner('DELETE', `/roles/${id}`)).status, 404)
  })

  test('is recorded once for each change, and not for a change that changes nothing', async () => {
    const { id } = (await make({ permissions: ['store.view'] })).body
    await asOwner('PUT', `/roles/${id}`, { description: 'New' })
    await asOwner('PUT', `/roles/${id}`, { description: 'New', permissions: ['store.view'] })
    await asOwner('PUT', `/roles/${id}`, {})
    await asOwner('DELETE', `/roles/${id}`)
    const records = await acme.run(({ tx }) =>
      tx
        .selectFrom('audit_logs')
        .select(['action', 'old_values', 'new_values'])
        .where('tenant_id', '=', acme.id)
        .where('resource_id', '=', id)
        .orderBy('id')
        .execute(),
    )
    assert.deepEqual(
      records.map(({ action }) => action),
      ['role.created', 'role.updated', 'role.deleted'],
    )
    assert.deepEqual([records[1]?.old_values, records[1]?.new_values], [{ description: '' }, { description: 'New' }])
  })

  test('has a name of its own, whatever the case, spacing or width of its letters', async () => {
    const name = `Cashier ${newId()}`
    assert.equal((await make({ name })).status, 201)
    for (const other of [name.toUpperCase(), ` ${name.replace(' ', '  ')}`, name.replace('C', 'Ｃ')]) {
      const answer = await make({ name: other })
      assert.deepEqual([answer.status, answer.body.code], [409, 'name_taken'])
    }
    const { id } = (await make({})).body
    assert.equal((await asOwner('PUT', `/roles/${id}`, { name })).status, 409)
    for (const reserved of ['owner', 'OWNER', ' Owner', 'ｏｗｎｅｒ'])
      assert.equal((await make({ name: reserved })).status, 409)
  })

  test('may have the name of another tenant’s role', async () => {
    const other = await foundCompany(core, 'Other')
    const name = `Same ${newId()}`
    assert.equal((await make({ name })).status, 201)
    assert.equal((await other.owner.request('POST', '/roles', { body: { name } })).status, 201)
  })

  test('cannot be deleted while somebody holds it', async () => {
    const { id } = (await make({ permissions: ['store.view'] })).body
    const holder = await acme.addHolder(id)
    const refused = await asOwner('DELETE', `/roles/${id}`)
    assert.deepEqual([refused.status, refused.body.code], [409, 'role_in_use'])
    await asOwner('POST', '/test/unassign', { user_id: holder.userId, role_id: id })
    assert.equal((await asOwner('DELETE', `/roles/${id}`)).status, 204)
  })

  test('names every wrong field', async () => {
    for (const name of ['ﷺ'.repeat(100), 'a'.repeat(101), ' '])
      assert.deepEqual(pointers((await make({ name })).body), ['#/name'])
    assert.equal((await make({ name: '😀'.repeat(100) })).status, 201)
    const unknown = await make({ permissions: ['store.view', 'store.fly', 'constructor', '__proto__'] })
    assert.equal(unknown.status, 400)
    assert.deepEqual(pointers(unknown.body), ['#/permissions/1', '#/permissions/2', '#/permissions/3'])
    const scope = await make({ scope: 'store', permissions: ['till.open', 'vault.open'] })
    assert.deepEqual([scope.status, pointers(scope.body)], [400, ['#/permissions/1']])
    const shape = await asOwner('POST', '/roles', { name: '\n', scope: 'galaxy', is_system: true, permissions: 'all' })
    assert.deepEqual(pointers(shape.body), ['#/is_system', '#/name', '#/permissions', '#/scope'])
    assert.deepEqual(pointers((await asOwner('POST', '/roles', {})).body), ['#/name'])
  })

  test('of scope store cannot get a permission of the whole tenant later, nor another scope', async () => {
    const { id } = (await make({ scope: 'store' })).body
    const answer = await asOwner('PUT', `/roles/${id}`, { permissions: ['vault.open'] })
    assert.deepEqual([answer.status, pointers(answer.body)], [400, ['#/permissions/0']])
    assert.deepEqual(pointers((await asOwner('PUT', `/roles/${id}`, { scope: 'tenant' })).body), ['#/scope'])
  })

  test('of another tenant is not found', async () => {
    const other = await foundCompany(core, 'Other')
    for (const [method, body] of [['GET'], ['PUT', { name: 'Mine' }], ['DELETE']] as const) {
      const foreign = await asOwner(method, `/roles/${other.roleIds.staff}`, body)
      const never = await asOwner(method, `/roles/${newId()}`, body)
      assert.equal(foreign.status, 404)
      assert.deepEqual({ ...foreign.body, request_id: '' }, { ...never.body, request_id: '' })
    }
    assert.equal((await asOwner('GET', '/roles/nonsense')).status, 404)
  })

  test('made 20 times at once under one name is made once', async () => {
    const name = `Race ${newId()}`
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) => make({ name: i % 2 ? name.toUpperCase() : name })),
    )
    assert.deepEqual(answers.map(({ status }) => status).sort(), [201, ...Array.from({ length: 19 }, () => 409)])
  })
})

describe('the list', () => {
  test('filters by scope and text, and pages newest first', async () => {
    const company = await foundCompany(core, 'Lister')
    const list = async (query: string) => (await company.owner.get(`/roles?${query}`)).body
    await company.addRole([], 'store')
    const names = (page: { data: { name: string }[] }) => page.data.map(({ name }) => name)
    assert.deepEqual(names(await list('scope=tenant')), ['owner', 'admin'])
    assert.deepEqual(names(await list('q=ANAG')), ['manager'])
    assert.deepEqual(names(await list('q=%25')), [])
    const first = await list('limit=4')
    assert.equal(first.data.length, 4)
    const second = await list(`limit=4&cursor=${first.next_cursor}`)
    assert.deepEqual([names(second), second.next_cursor], [['staff', 'viewer'], null])
    assert.equal((await company.owner.request('GET', '/roles?scope=x&nope=1&limit=0')).body.errors.length, 3)
  })

  test('is for those who may see roles', async () => {
    const answers = async (role: string, storeId: string | null = null) =>
      (await (await acme.addHolder(role, storeId)).request('GET', '/roles')).status
    assert.equal(await answers('viewer'), 200)
    assert.equal(await answers('manager', acme.mainStoreId), 200)
    assert.equal(await answers('staff'), 403)
    assert.equal((await (await core.addPerson()).request('GET', '/roles')).status, 403)
    assert.equal((await core.request('GET', '/api/v1/roles')).status, 401)
  })
})

describe('a name that would be taken for a system role', () => {
  const LOOK_ALIKES = [
    'owner',
    ' OWNER ',
    'owner\u200b',
    'ow\u00adner',
    '\u202eowner',
    '\u043ewner', // Cyrillic
    '\u03bfwner', // Greek
    'ｏｗｎｅｒ',
    'ówner',
    '0wner',
    'ovvner',
    'o-w-n-e-r',
    'Owner.',
    'аdmin',
    'Adm1n',
    'adrnin',
    'ADMІN',
    'mаnager',
    'ᴍanager',
    'ѕtaff',
    'viеwer',
    'v1ewer',
    '୦wner',
    'adm¡n',
    'adm!n',
    'staꜰꜰ',
    'mɐnager',
  ]
  for (const name of LOOK_ALIKES)
    test(`is refused: ${JSON.stringify(name)}`, async () => {
      const made = await make({ name })
      assert.deepEqual([made.status, made.body.code], [409, 'name_taken'], made.text)
      const { body: role } = await make({})
      const changed = await asOwner('PUT', `/roles/${role.id}`, { name })
      assert.deepEqual([changed.status, changed.body.code], [409, 'name_taken'], changed.text)
    })

  test('is another thing than one that contains or resembles its word', async () => {
    for (const name of [
      'Owners',
      'Store manager',
      'Viewer of reports',
      'Stuff',
      'Владелец',
      '管理者',
      'Admin 2',
      'Besitzer',
    ])
      assert.equal((await make({ name })).status, 201, name)
  })
})
