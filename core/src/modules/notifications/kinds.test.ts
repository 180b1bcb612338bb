import assert, { partialDeepStrictEqual as has } from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { DAYS, defineModule, HOURS, newId } from '#kernel'
import { readMessageFiles } from '../../kernel/messages/files.ts'
import { gapsOf } from '../../kernel/messages/problems.ts'
import { createTestCore, type TestCore, type TestPerson, type TestTenant } from '../../testing/index.ts'
import { builtinModules } from '../index.ts'
import { attachPaymentMethod, subscriptions } from '../subscriptions/index.ts'
import { rollOver } from '../subscriptions/life/renewal.ts'
import { badgeOf, type Listed, listOf } from './notifications.fixture.ts'

const PASSWORD = 'correct horse battery staple 42'

/** It takes no money. */
const bank = defineModule({
  name: 'bank',
  dependsOn: [subscriptions],
  payments: { name: 'bank', collect: async () => 'declined' },
})

let t: TestCore
let tenant: TestTenant
let owner: TestPerson
let admin: TestPerson
before(async () => {
  t = await createTestCore({ modules: [...builtinModules, bank] })
  tenant = await t.foundTenant({ plan: 'business' })
  owner = tenant.owner
  admin = await tenant.member({ role: 'admin' })
  await t.drainJobs(tenant.id)
})
after(() => t.close())

const ofKind = async (person: TestPerson, kind: string): Promise<Listed[]> => listOf(person, `&kind=${kind}`)
const subjects = async (to: string, part: RegExp) => (await t.mails(to)).filter(({ subject }) => part.test(subject))
const roll = async (id: string) => {
  await t.runSchedule(rollOver)
  await t.drainJobs(id)
}
const signIn = (email: string, password: string, agent: string) =>
  t.request('POST', '/api/v1/auth/login', { body: { email, password }, headers: { 'user-agent': agent } })

describe('an act is told', () => {
  test('of an invitation, to those who may invite, and of its acceptance', async () => {
    const email = `${newId()}@example.com`
    assert.equal((await owner.post('/users/invite', { email })).status, 201)
    await t.drainJobs(tenant.id)
    const [told] = await ofKind(admin, 'user.invited')
    has(told, { type: 'info', title: `${email} was invited`, data: { email } })
    assert.deepEqual(await ofKind(owner, 'user.invited'), [], 'whoever invites knows')
    const link = (await t.mails(email))[0]?.text.match(/token=([^\s"]+)/)?.[1] ?? ''
    const joined = await t.request('POST', '/api/v1/auth/accept-invite', {
      body: { token: decodeURIComponent(link), name: 'Eve', password: PASSWORD },
    })
    assert.equal(joined.status, 200)
    await t.drainJobs(tenant.id)
    has((await ofKind(owner, 'user.joined'))[0], { type: 'success', title: 'Eve has joined' })
    const eve = joined.body.access_token
    const { data } = (await t.request('GET', '/api/v1/notifications', { token: eve })).body
    assert.deepEqual(data, [], 'roles that come with joining are no news')
  })

  test('of a role, to whom it was given, and by whom it was not', async () => {
    const member = await tenant.member({ role: 'viewer' })
    await t.drainJobs(tenant.id)
    const { data: roles } = (await owner.get('/roles?limit=100')).body
    const manager = roles.find(({ name }: { name: string }) => name === 'manager').id
    assert.equal((await owner.post(`/users/${member.userId}/roles`, { role_id: manager })).status, 201)
    await t.drainJobs(tenant.id)
    has((await ofKind(member, 'role.changed'))[0], { title: 'You have the role manager now' })
    assert.equal((await owner.delete(`/users/${member.userId}/roles/${manager}`)).status, 204)
    await t.drainJobs(tenant.id)
    has((await ofKind(member, 'role.changed'))[0], { title: 'The role manager was taken from you' })
    assert.deepEqual(await ofKind(owner, 'role.changed'), [])
  })

  test('of a subscription that ends, 7, 3 and 1 days ahead, each in place of the one before', async () => {
    const leaving = await t.foundTenant({ plan: 'starter' })
    await leaving.owner.put('/tenants/current/settings', { timezone: 'Asia/Tokyo' })
    await leaving.owner.post('/subscriptions/current/cancel', { at_period_end: true })
    const { current_period_end: end } = (await leaving.owner.get('/subscriptions/current')).body
    for (const days of [8, 7, 3, 1]) {
      t.clock.advance(Date.parse(end) - days * DAYS - t.clock.ms())
      await roll(leaving.id)
      await roll(leaving.id)
      const told = await ofKind(leaving.owner, 'subscription.expiring')
      const title = `The subscription ends in ${days === 1 ? '1 day' : `${days} days`}`
      if (days === 8) assert.deepEqual(told, [])
      else has(told, [{ type: 'warning', title }])
    }
    const mails = await subjects(leaving.owner.email, /subscription ends in/)
    assert.equal(mails.length, 3)
    // Who has chosen no time zone reads by the tenant's clock, in the list and in mails.
    const [shown] = await ofKind(leaving.owner, 'subscription.expiring')
    for (const text of [shown?.message ?? '', ...mails.map(({ text }) => text)]) assert.match(text, /GMT\+9/)
    assert.equal(await badgeOf(leaving.owner), 1)
    t.clock.advance(1 * DAYS + 1 * HOURS)
    assert.deepEqual(await ofKind(leaving.owner, 'subscription.expiring'), [], 'it has expired')
    assert.equal(await badgeOf(leaving.owner), 0)
  })

  test('of a trial that ends, and of a payment that fails', async () => {
    const trying = await t.foundTenant()
    t.clock.advance(11 * DAYS)
    await roll(trying.id)
    has((await ofKind(trying.owner, 'subscription.trial_ending'))[0], { title: 'The trial ends in 3 days' })
    const owing = await t.foundTenant()
    const method = { type: 'card', label: 'Visa', last4: '4242', expires: null }
    await owing.run((ctx) => attachPaymentMethod(ctx, { provider: 'bank', reference: 'pm_1', method }))
    t.clock.advance(14 * DAYS)
    await roll(owing.id)
    has((await ofKind(owing.owner, 'subscription.payment_failed'))[0], { type: 'error' })
  })

  test('of a limit that is nearly reached, once for each crossing', async () => {
    const small = await t.foundTenant({ plan: 'starter' })
    const open = async (name: string) => {
      assert.equal((await small.owner.post('/stores', { name })).status, 201)
      await t.drainJobs(small.id)
    }
    const told = () => ofKind(small.owner, 'limit.approaching')
    const { data: first } = (await small.owner.get('/stores')).body
    for (let count = first.length; count < 3; count++) await open(`Store ${count}`)
    assert.deepEqual(await told(), [])
    await open('Four')
    has(await told(), [{ title: 'Stores: 4 of 5 in use' }])
    await open('Five')
    has(await told(), [{ title: 'Stores: 5 of 5 in use' }])
    assert.equal((await small.owner.post('/stores', { name: 'Six' })).status, 402)
    await t.drainJobs(small.id)
    assert.equal((await told()).length, 1)
    assert.equal((await subjects(small.owner.email, /of 5 in use/)).length, 2)
    // Whoever may open and close stores must not fill the owner's mailbox by that.
    const [store] = (await small.owner.get('/stores?q=Five')).body.data
    assert.equal((await small.owner.delete(`/stores/${store.id}`)).status, 204)
    await open('Five again')
    assert.equal((await subjects(small.owner.email, /of 5 in use/)).length, 2)
    t.clock.advance(1 * HOURS)
    const [again] = (await small.owner.get('/stores?q=again')).body.data
    assert.equal((await small.owner.delete(`/stores/${again.id}`)).status, 204)
    await open('Five at last')
    assert.equal((await subjects(small.owner.email, /of 5 in use/)).length, 3)
  })
})

describe('what concerns a person', () => {
  test('a changed password and a new sign-in: once in their list, once by mail', async () => {
    const email = `${newId()}@example.com`
    const body = { email, password: PASSWORD, name: 'Rita', tenant_name: `Rita ${newId()}` }
    const { body: registered } = await t.request('POST', '/api/v1/auth/register', { body })
    const changed = await t.request('POST', '/api/v1/auth/change-password', {
      token: registered.access_token,
      body: { current_password: PASSWORD, new_password: `${PASSWORD}!` },
    })
    assert.equal(changed.status, 204)
    await t.drainJobs(registered.tenant.id)
    const answer = await signIn(email, `${PASSWORD}!`, 'Firefox/1 (Linux)')
    await t.drainJobs(registered.tenant.id)
    const { data } = (await t.request('GET', '/api/v1/notifications', { token: answer.body.access_token })).body
    assert.deepEqual(
      data.map(({ kind, title }: Listed) => [kind, title]),
      [
        ['auth.new_sign_in', 'New sign-in to your account'],
        ['auth.password_changed', 'Your password was changed'],
      ],
    )
    has(data[0].data, {
      device: 'Firefox on Linux',
      actions: [
        { name: 'reset', route: '/forgot-password' },
        { name: 'dismiss', route: '/' },
      ],
    })
    const token = answer.body.access_token
    assert.match(data[0].message, /with Firefox on Linux\./)
    assert.equal((await t.request('PUT', '/api/v1/users/me', { token, body: { locale: 'de' } })).status, 200)
    const inGerman = await t.request('GET', '/api/v1/notifications?kind=auth.new_sign_in', { token })
    assert.match(inGerman.body.data[0].message, /mit Firefox auf Linux bei/)
    assert.equal((await subjects(email, /password was changed/)).length, 1)
    assert.equal((await subjects(email, /New sign-in/)).length, 1)
  })
})

test('every text is there in English and German', () => {
  const problems: string[] = []
  const files = readMessageFiles(builtinModules, problems)
  assert.deepEqual(problems, [])
  assert.deepEqual(gapsOf(files, 'de'), [])
  const { notifications, messages } = t.core.registry
  for (const { kind, actions } of notifications.values())
    for (const part of ['name', 'title', 'message', ...actions.map(({ name }) => `actions.${name}`)])
      assert.ok(messages.has(`notification.${kind}.${part}`), `notification.${kind}.${part}`)
})
