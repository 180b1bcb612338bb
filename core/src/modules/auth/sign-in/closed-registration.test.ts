import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { newId } from '#kernel'
import { type Answered, proveAddress, type TestCore } from '../../../testing/index.ts'
import { BOOTSTRAP_TOKEN, createAuthCore, login, mailsTo, PASSWORD, tokenTo } from '../auth.fixture.ts'

const rootEmail = `${newId()}@example.com`
let t: TestCore
before(async () => {
  t = await createAuthCore({ env: { REGISTRATION: 'closed' } })
})
after(() => t?.close())

const post = (path: string, body: unknown, token?: string) => t.request('POST', `/api/v1${path}`, { body, token })
const registration = () => ({
  email: `${newId()}@example.com`,
  password: PASSWORD,
  name: 'Ada',
  tenant_name: 'Engines',
})
const count = async (table: string) =>
  (await t.core.db.systemQuery<{ count: number }>(`select count(*)::int as count from ${table}`))[0]?.count

test('a closed installation takes nobody in but by bootstrap, founding by super admins, and invitation', async () => {
  const refused = await post('/auth/register', registration())
  assert.deepEqual([refused.status, refused.body.code], [403, 'registration_closed'])
  assert.deepEqual([await count('users'), await count('tenants')], [0, 0])

  const root = await post('/auth/bootstrap', {
    bootstrap_token: BOOTSTRAP_TOKEN,
    email: rootEmail,
    password: PASSWORD,
    name: 'Root',
  })
  assert.equal(root.status, 201, root.text)
  await proveAddress(t, root.body.user.id)
  const tenant = await post('/tenants', { name: 'Engines' }, root.body.access_token)
  assert.equal(tenant.status, 201, tenant.text)
  const inside = await post('/auth/switch-tenant', { tenant_id: tenant.body.id }, root.body.access_token)

  const email = `${newId()}@example.com`
  assert.equal((await post('/users/invite', { email }, inside.body.access_token)).status, 201)
  const accepted = await post('/auth/accept-invite', {
    token: await tokenTo(t, email, 'invites you'),
    password: PASSWORD,
  })
  assert.equal(accepted.status, 200, accepted.text)
  assert.equal((await login(t, email)).status, 200)

  const founded = await post('/tenants', { name: 'Of my own' }, accepted.body.access_token)
  assert.deepEqual([founded.status, founded.body.code], [403, 'registration_closed'])
  assert.equal(await count('tenants'), 1)
})

test('a registration that is refused tells nothing of the address, and its owner nothing of it', async () => {
  const known = await t.request('POST', '/api/v1/auth/register', { body: { ...registration(), email: rootEmail } })
  const unknown = await post('/auth/register', registration())
  const told = ({ body: { request_id: _, ...body } }: Answered) => body
  assert.deepEqual(told(known), told(unknown))
  assert.equal((await mailsTo(t, rootEmail)).filter(({ subject }) => /already|account/i.test(subject)).length, 0)
})
