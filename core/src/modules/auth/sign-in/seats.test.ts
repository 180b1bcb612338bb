import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { HOURS, newId } from '#kernel'
import { createTestCore, type TestCore } from '../../../testing/index.ts'
import { login, PASSWORD, type Person, register, tally, tokenTo, twenty } from '../auth.fixture.ts'

const SEATS = 10
let t: TestCore
let owner: Person
before(async () => {
  t = await createTestCore({ env: { RATE_LIMIT_FACTOR: '0', LOG_LEVEL: 'warn' } })
  owner = await register(t, { tenant_name: 'Full House' })
})
after(() => t?.close())

const send = (method: string, url: string, body?: unknown) =>
  t.request(method, `/api/v1${url}`, { token: owner.token, body })
const invite = (email = `${newId()}@example.com`) => send('POST', '/users/invite', { email })

/** Everybody's place in the plan, as it is counted for a limit. */
const seats = async (): Promise<number> => {
  const [row] = await t.core.db.systemQuery<{ seats: number }>(
    'select count(*) as seats from members where tenant_id = $1 and (seat_ends_at is null or seat_ends_at > $2)',
    [owner.tenantId, t.clock.now()],
  )
  return Number(row?.seats)
}

test('expired invitations hold no place in the plan; sending one again takes one, of twenty as many as there are', async () => {
  const invitations: { id: string }[] = []
  for (let i = 1; i < SEATS; i++) invitations.push((await invite()).body)
  assert.equal((await invite()).body.code, 'plan_limit_reached')

  t.clock.advance(48 * HOURS)
  owner = { ...owner, token: (await login(t, owner.email)).body.access_token }
  assert.equal(await seats(), 1)
  const listed = (await send('GET', '/users/invitations?limit=100')).body.data
  assert.deepEqual(new Set(listed.map(({ status }: { status: string }) => status)), new Set(['expired']))
  const others = 5
  for (let i = 0; i < others; i++) assert.equal((await invite()).status, 201)
  const answers = await twenty((i) => {
    const again = invitations[i]
    return again ? send('POST', `/users/invitations/${again.id}/resend`) : invite()
  })
  const counts = tally(answers)
  const free = SEATS - 1 - others
  assert.equal((counts['200'] ?? 0) + (counts['201'] ?? 0), free, JSON.stringify(counts))
  assert.equal(counts['402 plan_limit_reached'], 20 - free)
  assert.equal(await seats(), SEATS)
})

test('accepting keeps the place that the invitation had, and takes no second one', async () => {
  const [first] = (await send('GET', '/users/invitations?limit=100')).body.data.filter(
    ({ status }: { status: string }) => status === 'open',
  )
  const token = await tokenTo(t, first.email, 'invites you')
  const answer = await t.request('POST', '/api/v1/auth/accept-invite', { body: { token, password: PASSWORD } })
  assert.equal(answer.status, 200, answer.text)
  assert.equal(await seats(), SEATS)
  assert.equal((await invite()).body.code, 'plan_limit_reached')
})

test('an invitation to a tenant whose subscription has ended is not spent', async () => {
  const other = await register(t, { tenant_name: 'Closing Down' })
  const email = `${newId()}@example.com`
  await t.request('POST', '/api/v1/users/invite', { token: other.token, body: { email } })
  const token = await tokenTo(t, email, 'invites you')
  const accept = () => t.request('POST', '/api/v1/auth/accept-invite', { body: { token, password: PASSWORD } })
  const setStatus = (status: string) =>
    t.core.db.systemQuery(
      "update subscriptions set status = $1, next_change_at = case $1 when 'trialing' then current_period_end end where tenant_id = $2",
      [status, other.tenantId],
    )
  await setStatus('expired')
  assert.deepEqual([(await accept()).status, (await accept()).body.code], [402, 'subscription_inactive'])
  await setStatus('trialing')
  assert.equal((await accept()).status, 200)
})
