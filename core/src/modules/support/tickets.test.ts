import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DAYS, HOURS } from '#kernel'
import { drainJobs } from '../../testing/drain-jobs.ts'
import type { TestTenant } from '../../testing/index.ts'
import { asKey, makeKey } from '../api-keys/api-keys.fixture.ts'
import { usageCounts } from '../api-keys/usage/counts.ts'
import { startReceiver } from '../audit-sinks/audit-sinks.fixture.ts'
import { OTHER_PASSWORD, PASSWORD } from '../auth/auth.fixture.ts'
import { limitedSignIns } from '../auth/refusals/limited.ts'
import { rollOver } from '../subscriptions/life/renewal.ts'
import { changeUser } from '../users/index.ts'
import { failingJob, newEmail, tokenIn, useDesk } from './support.fixture.ts'

// What people write about, each brought about as it happens: the cause is what is found first.

const { desk, operators, ask, causes, register, login, limit, mailsTo, send } = useDesk()

async function prove(userId: string) {
  await desk.test.core.run((ctx) => changeUser(ctx, userId, { email_verified_at: ctx.clock.now() }))
}

/** Somebody who was invited, and whose mail is on its way. */
async function invite(tenant: TestTenant, email = newEmail()): Promise<string> {
  const { status, text } = await tenant.owner.post('/users/invite', { email, name: 'Iris Invited' })
  assert.equal(status, 201, text)
  return email
}

async function first(email: string, code: string, more: Record<string, string> = {}) {
  const { findings } = await ask(email, more)
  const codes = findings.map((each: { code: string }) => each.code)
  assert.equal(codes[0], code, `found ${codes.join(', ') || 'nothing'}`)
  return findings[0]
}

it('“I never got your mail”: its server does not know the address', async () => {
  const tenant = await desk.test.foundTenant()
  desk.peer.onRecipient(() => ({ code: 550, text: '5.1.1 No such user here' }))
  const email = await invite(tenant)
  await mailsTo(email, tenant.id)
  const { what, tenant_id } = await first(email, 'mail_bounced')
  assert.match(what, /5\.1\.1 No such user here/)
  assert.equal(tenant_id, tenant.id)
})

it('“I never got the second one either”: mails do not go there any more', async () => {
  const tenant = await desk.test.foundTenant()
  desk.peer.onRecipient(() => ({ code: 550, text: '5.1.1 No such user here' }))
  const email = await invite(tenant)
  await mailsTo(email, tenant.id)
  desk.peer.reset()
  const { data } = (await tenant.owner.get('/users/invitations')).body
  desk.test.clock.advance(2 * HOURS)
  assert.equal((await tenant.owner.post(`/users/invitations/${data[0].id}/resend`)).status, 200)
  assert.deepEqual(await mailsTo(email, tenant.id), [])
  await first(email, 'address_suppressed')
})

it('“your mail is late”: its server puts it off', async () => {
  const tenant = await desk.test.foundTenant()
  desk.peer.onRecipient(() => ({ code: 451, text: '4.7.1 Greylisted, come back' }))
  const email = await invite(tenant)
  await mailsTo(email, tenant.id)
  assert.match((await first(email, 'mail_delayed')).what, /Greylisted/)
})

it('“my password does not work”: it is another one', async () => {
  const { email, userId } = await register()
  await prove(userId)
  assert.equal((await login(email, PASSWORD)).status, 200)
  assert.deepEqual(await causes(email), [])
  desk.test.clock.advance(1_000)
  assert.equal((await login(email, OTHER_PASSWORD)).status, 401)
  assert.match((await first(email, 'wrong_password')).what, /^1 attempt /)
  desk.test.clock.advance(1_000)
  assert.equal((await login(email, PASSWORD)).status, 200)
  assert.deepEqual(await causes(email), [], 'once they are in, it is over')
})

it('“it says too many attempts”: there is a lockout', async () => {
  const { email, userId } = await register()
  await prove(userId)
  for (let tries = 0; tries < 10; tries++) await login(email, OTHER_PASSWORD)
  assert.equal((await login(email, PASSWORD)).status, 429)
  await first(email, 'locked_out')
  const { sign_ins } = (await ask(email)).sections
  const reasons = sign_ins.refused.map(({ reason, attempts }: Record<string, unknown>) => `${attempts} ${reason}`)
  assert.deepEqual(reasons.sort(), ['1 locked_out', '10 wrong_password'])
})

it('“it says too many requests”: they tried five times in a minute', async () => {
  const { email, userId } = await register()
  await prove(userId)
  assert.equal((await login(email, PASSWORD)).status, 200)
  limit('auth_account')
  const statuses = []
  for (let tries = 0; tries < 6; tries++) statuses.push((await login(email, PASSWORD)).status)
  assert.deepEqual(statuses.slice(4), [200, 429])
  desk.test.clock.advance(1_000)
  await login(email, PASSWORD)
  await desk.test.core.use(limitedSignIns).flush()
  assert.match((await first(email, 'sign_in_limited')).what, /^2 attempts /)
})

it('“your link does nothing”: it was too late', async () => {
  const { email, userId } = await register()
  await prove(userId)
  await send('POST', '/auth/forgot-password', { email })
  const token = tokenIn((await mailsTo(email)).at(-1))
  desk.test.clock.advance(2 * HOURS)
  assert.equal((await send('POST', '/auth/reset-password', { token, password: OTHER_PASSWORD })).status, 400)
  await first(email, 'link_expired')
})

it('“I cannot get in anywhere”: their account is disabled', async () => {
  const { email, userId } = await register()
  await desk.test.core.run((ctx) => changeUser(ctx, userId, { status: 'disabled' }), { role: 'system', tenantId: null })
  assert.equal((await login(email, PASSWORD)).status, 403)
  await first(email, 'account_disabled')
})

it('“I cannot get in since yesterday”: their membership was switched off', async () => {
  const tenant = await desk.test.foundTenant()
  const { email, userId } = await tenant.member({ role: 'staff' })
  assert.equal((await tenant.owner.put(`/users/${userId}`, { status: 'disabled' })).status, 200)
  assert.equal((await first(email, 'member_disabled')).tenant_id, tenant.id)
})

it('“the company is gone from my list”: they were removed', async () => {
  const tenant = await desk.test.foundTenant()
  const { email, userId } = await tenant.member({ role: 'staff' })
  assert.equal((await tenant.owner.delete(`/users/${userId}`)).status, 204)
  assert.equal((await first(email, 'member_removed')).tenant_id, tenant.id)
})

it('“nobody of us gets in”: the tenant is suspended', async () => {
  const tenant = await desk.test.foundTenant()
  const { email } = await tenant.member({ role: 'staff' })
  const operations = await desk.test.addOperator(['operations'])
  await operations.post(`/admin/tenants/${tenant.id}/suspend`, { reason: 'Card testing' })
  assert.equal((await first(email, 'tenant_suspended')).tenant_id, tenant.id)
})

it('“your invitation does not work”: it has expired', async () => {
  const tenant = await desk.test.foundTenant()
  const email = await invite(tenant)
  await mailsTo(email, tenant.id)
  assert.deepEqual(await causes(email), ['invitation_waiting'])
  desk.test.clock.advance(3 * DAYS)
  await first(email, 'invitation_expired')
})

it('“the button is not there”: no role of theirs gives it', async () => {
  const tenant = await desk.test.foundTenant()
  const { email } = await tenant.member({ role: 'viewer' })
  const asked = { tenant_id: tenant.id, permission: 'store.create' }
  const { what } = await first(email, 'permission_missing', asked)
  assert.match(what, /store\.create/)
  assert.deepEqual((await ask(email, asked)).sections.permission.explanation, {
    allowed: false,
    reason: 'no_role',
    via: [],
    missing: { permission: 'store.create' },
  })
  assert.deepEqual(await causes(tenant.owner.email, asked), [], 'who holds it lacks nothing')
})

it('“I see no orders any more”: their store is closed', async () => {
  const tenant = await desk.test.foundTenant()
  const store = (await tenant.owner.post('/stores', { name: 'North' })).body
  const { email } = await tenant.member({ role: 'staff', store: store.id })
  assert.equal((await tenant.owner.put(`/stores/${store.id}`, { status: 'inactive' })).status, 200)
  assert.match((await first(email, 'store_closed')).what, new RegExp(store.id))
  await first(tenant.owner.email, 'store_closed', { tenant_id: tenant.id, store_id: store.id })
})

it('“we cannot add another store”: the plan allows no more', async () => {
  const tenant = await desk.test.foundTenant()
  let status = 201
  while (status === 201) status = (await tenant.owner.post('/stores', { name: newEmail() })).status
  assert.equal(status, 402)
  assert.match((await first(tenant.owner.email, 'limit_reached')).what, /stores \(5\)/)
})

it('“nothing can be saved”: the trial is over', async () => {
  const tenant = await desk.test.foundTenant()
  desk.test.clock.advance(15 * DAYS)
  assert.equal((await tenant.owner.post('/stores', { name: 'South' })).status, 402)
  await first(tenant.owner.email, 'trial_ended')
})

it('“what is this warning?”: the subscription is not paid', async () => {
  const tenant = await desk.test.foundTenant({ plan: 'business' })
  // As after a card was withdrawn.
  const unpaid = 'update subscriptions set payment_method = null, payment_provider = null where tenant_id = $1'
  await desk.test.core.db.systemQuery(unpaid, [tenant.id])
  desk.test.clock.advance(32 * DAYS)
  await desk.test.runSchedule(rollOver)
  await first(tenant.owner.email, 'subscription_past_due')
})

it('“nothing comes to our server”: it answers with errors', async () => {
  const receiver = await startReceiver()
  try {
    receiver.answer(() => 500)
    const tenant = await desk.test.foundTenant()
    const url = `${receiver.url}/hooks/s3cret-path?key=s3cret-key`
    assert.equal((await tenant.owner.post('/webhooks', { url, events: ['*'] })).status, 201)
    assert.equal((await tenant.owner.post('/stores', { name: 'West' })).status, 201)
    await desk.test.drainJobs(tenant.id)
    const { what } = await first(tenant.owner.email, 'webhook_failing')
    assert.ok(what.includes(new URL(url).host) && !what.includes('s3cret'), what)
  } finally {
    await receiver.close()
  }
})

it('“the export never came”: its job was given up', async () => {
  const tenant = await desk.test.foundTenant()
  await tenant.run((ctx) => ctx.enqueue(failingJob, {}))
  await drainJobs(desk.test.core, tenant.id)
  const { what } = await first(tenant.owner.email, 'job_failed')
  assert.match(what, /till\.fail/)
  assert.doesNotMatch(JSON.stringify(await ask(tenant.owner.email)), /jammed/)
})

it('“our program gets errors”: its key sends too much', async () => {
  const tenant = await desk.test.foundTenant({ plan: 'business' })
  const { key } = await makeKey(tenant.owner, { rate_limit_per_minute: 1 })
  limit('key')
  for (const status of [200, 429, 429]) assert.equal((await asKey(desk.test, key, 'GET', '/stores')).status, status)
  await desk.test.core.use(usageCounts).flush()
  assert.match((await first(tenant.owner.email, 'rate_limited')).what, /2 too many/)
})

it('“I have an account, I know it”: under another spelling', async () => {
  const { email } = await register(newEmail())
  for (const typo of [email.slice(1), `${email.slice(1, 2)}${email.slice(0, 1)}${email.slice(2)}`, `${email}m`]) {
    await first(typo, 'no_account_typo')
    const answer = await ask(typo)
    assert.equal(answer.sections.account.similar[0], 'one_letter')
    assert.ok(!JSON.stringify(answer).includes(email.slice(1, 20).concat('@')), 'whose, is not said')
  }
  await first(email.replace('@example.com', '@example.org'), 'no_account_typo')
  await first(newEmail(), 'no_account')
})

it('“I cannot invite anybody”: their address is not confirmed', async () => {
  const { email } = await register()
  await first(email, 'unconfirmed_address')
})

describe('what is over, or as it should be, is no cause:', () => {
  it('a link that was too late, once a newer one has done what it was for', async () => {
    const { email, tenantId } = await register()
    const token = async () => tokenIn((await mailsTo(email, tenantId)).at(-1))
    const open = async (token: string) => (await send('POST', '/auth/verify-email', { token })).status
    const late = await token()
    desk.test.clock.advance(25 * HOURS)
    const { body } = await login(email, PASSWORD)
    desk.test.clock.advance(1_000)
    assert.equal(await open(late), 400)
    await first(email, 'link_expired')
    assert.equal((await send('POST', '/auth/resend-verification', undefined, body.access_token)).status, 202)
    desk.test.clock.advance(1_000)
    assert.equal(await open(await token()), 204)
    assert.deepEqual(await causes(email), [])
  })

  it('a wrong password, once another one was chosen by a link', async () => {
    const { email, userId } = await register()
    await prove(userId)
    await login(email, OTHER_PASSWORD)
    await first(email, 'wrong_password')
    await send('POST', '/auth/forgot-password', { email })
    const token = tokenIn((await mailsTo(email)).at(-1))
    desk.test.clock.advance(1_000)
    assert.equal((await send('POST', '/auth/reset-password', { token, password: OTHER_PASSWORD })).status, 204)
    assert.deepEqual(await causes(email), [])
  })

  it('a slip of somebody who is signed in', async () => {
    const { email, userId, token } = await register()
    await prove(userId)
    const passwords = { current_password: OTHER_PASSWORD, new_password: `${PASSWORD} anew` }
    assert.equal((await send('POST', '/auth/change-password', passwords, token)).status, 401)
    assert.deepEqual((await ask(email)).sections.sign_ins.refused, [])
    assert.deepEqual(await causes(email), [])
  })

  it('a limit of the plan in place of which an operator gave more, but not one of less than is in use', async () => {
    const tenant = await desk.test.foundTenant()
    const { email } = tenant.owner
    const give = async (limits_override: object) =>
      assert.equal((await operators.billing.put(`/admin/tenants/${tenant.id}`, { limits_override })).status, 200)
    await give({ stores: 1 })
    assert.match((await first(email, 'limit_reached')).what, /stores \(1\)/)
    assert.deepEqual((await ask(email)).sections.subscriptions.subscriptions[0].reached, [{ limit: 'stores', max: 1 }])
    // More than a count of 32 bits holds.
    await give({ stores: Number.MAX_SAFE_INTEGER })
    const { findings, sections } = await ask(email)
    assert.deepEqual(findings, [])
    assert.deepEqual(sections.subscriptions.subscriptions[0].reached, [])
  })

  it('a webhook that failed before somebody switched it off', async () => {
    const tenant = await desk.test.foundTenant()
    const { body } = await tenant.owner.post('/webhooks', { url: 'http://127.0.0.1:9/', events: ['*'] })
    assert.equal((await tenant.owner.post('/stores', { name: 'West' })).status, 201)
    await desk.test.drainJobs(tenant.id)
    await first(tenant.owner.email, 'webhook_failing')
    assert.equal((await tenant.owner.put(`/webhooks/${body.id}`, { is_active: false })).status, 200)
    assert.deepEqual(await causes(tenant.owner.email), [])
  })
})
