import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { DAYS, every, HOURS, newId, sql } from '#kernel'
import { createTestCore, type TestCore } from './index.ts'

let core: TestCore
before(async () => {
  core = await createTestCore()
})
after(() => core.close())

test('a founded tenant has an owner who may do everything, its default store and a trial', async () => {
  const shop = await core.foundTenant({ name: 'Acme' })
  const { status, body } = await shop.owner.post('/stores', { name: 'Harbour' })
  assert.deepEqual([status, body.tenant_id], [201, shop.id])
  const stores = (await shop.owner.get('/stores')).body.data.map(({ name }: { name: string }) => name)
  assert.deepEqual(stores.sort(), ['Harbour', 'Main'])
  assert.equal((await shop.owner.get('/subscriptions/current')).body.status, 'trialing')
  assert.equal((await shop.owner.get('/tenants/current')).body.name, 'Acme')
})

test('a plan limits what its tenant may have', async () => {
  const shop = await core.foundTenant({ plan: 'free' })
  assert.equal((await shop.owner.get('/subscriptions/current')).body.plan.code, 'free')
  const refused = await shop.owner.post('/stores', { name: 'One too many' })
  assert.deepEqual([refused.status, refused.body.code], [402, 'plan_limit_reached'])
  await assert.rejects(core.foundTenant({ plan: 'platinum' }), /no plan platinum/)
})

test('a member holds what was given, where it was given', async () => {
  const shop = await core.foundTenant()
  const [harbour, market] = await Promise.all(
    ['Harbour', 'Market'].map(async (name) => (await shop.owner.post('/stores', { name })).body),
  )
  const manager = await shop.member({ role: 'manager', store: harbour.id, name: 'Mia' })
  assert.deepEqual(
    (await manager.get('/stores')).body.data.map(({ id }: { id: string }) => id),
    [harbour.id],
  )
  assert.equal((await manager.put(`/stores/${harbour.id}`, { phone: '1' })).status, 200)
  assert.equal((await manager.put(`/stores/${market.id}`, { phone: '1' })).status, 404)
  const narrow = await shop.member({ permissions: ['role.view'] })
  assert.equal((await narrow.get('/roles')).status, 200)
  assert.equal((await narrow.delete(`/stores/${market.id}`)).status, 403)
  assert.equal((await (await shop.member()).get('/stores')).status, 403)
  await assert.rejects(shop.member({ role: 'viewer', permissions: [] }), /not both/)
})

test('a person stays signed in however far the clock is moved, until they may not be', async () => {
  const shop = await core.foundTenant()
  const viewer = await shop.member({ role: 'viewer' })
  const first = await viewer.token()
  assert.equal(await viewer.token(), first)
  core.clock.advance(2 * HOURS)
  assert.equal((await viewer.get('/stores')).status, 200)
  assert.notEqual(await viewer.token(), first)
  assert.equal((await shop.owner.delete(`/users/${viewer.userId}`)).status, 204)
  assert.equal((await viewer.get('/stores')).status, 401)
})

test('a person is signed in where they are asked for, and to no tenant without one', async () => {
  const [shop, bakery] = [await core.foundTenant(), await core.foundTenant()]
  const stranger = await core.addPerson('Sam Stranger')
  assert.equal((await stranger.get('/users/me')).body.name, 'Sam Stranger')
  assert.equal((await stranger.get('/stores')).body.code, 'tenant_required')
  await assert.rejects(stranger.in(shop.id).token(), { code: 'permission_denied' })
  await assert.rejects(shop.owner.in(bakery.id).token(), { code: 'permission_denied' })
  assert.equal((await shop.owner.in().get('/tenants/current')).body.id, shop.id)
  assert.equal((await stranger.post('/tenants', { name: 'Own' })).status, 201)
  assert.equal((await stranger.in().get('/tenants/current')).body.name, 'Own')
})

test('mails are there once the jobs that send them have run', async () => {
  const shop = await core.foundTenant()
  const email = `${shop.id}@example.com`
  assert.equal((await shop.owner.post('/users/invite', { email })).status, 201)
  assert.deepEqual(await core.mails(email), [])
  await core.drainJobs(shop.id)
  const [mail] = await core.mails(email)
  assert.match(mail?.text ?? '', /accept-invite\?token=/)
  assert.ok((await core.mails()).length >= 1)
})

test('a schedule runs when it is told to, inside of nobody else’s transaction', async () => {
  const shop = await core.foundTenant()
  const { schedules } = core.core.registry
  const rollOver = schedules.find(({ name }) => name === 'subscriptions.roll_over') ?? assert.fail('no such schedule')
  core.clock.advance(40 * DAYS)
  await core.runSchedule(rollOver)
  assert.equal((await shop.owner.get('/subscriptions/current')).body.status, 'expired')
})

test('a schedule that no module lists is refused, and a job that fails is told of', async () => {
  const forgotten = every('0 6 * * *', 'people.forgotten', async () => {})
  await assert.rejects(core.runSchedule(forgotten), /No module lists the schedule people\.forgotten/)
  const shop = await core.foundTenant()
  await shop.run(async ({ tx, clock }) => {
    const now = clock.now()
    await sql`insert into tenant_jobs (tenant_id, id, task, payload, origin, max_attempts, run_at, created_at)
      values (${shop.id}, ${newId()}, 'people.unknown', '{}', '{}', 3, ${now}, ${now})`.execute(tx)
  })
  await assert.rejects(core.drainJobs(shop.id), /Jobs failed: people\.unknown/)
})
