import assert, { partialDeepStrictEqual as has } from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { fromNow, HOURS } from '#kernel'
import { startHttp, type TestServer } from '../../../kernel/outbound/outbound.fixture.ts'
import { createTestCore, type TestCore, type TestPerson, type TestTenant } from '../../../testing/index.ts'
import { builtinModules } from '../../index.ts'
import { alarmNotice, makeAlarms, offerNotice } from '../delivery/gateway.fixture.ts'
import { announce, listOf, tellPeople } from '../notifications.fixture.ts'

let t: TestCore
let tenant: TestTenant
let owner: TestPerson
let gateway: TestServer
let alarms: Awaited<ReturnType<typeof makeAlarms>>
let answers: number[] = []
const received: { key: string; text: string; to: string }[] = []

before(async () => {
  gateway = await startHttp((request, response) => {
    let body = ''
    request.on('data', (chunk) => {
      body += chunk
    })
    request.on('end', () => {
      received.push({ key: String(request.headers['idempotency-key']), ...JSON.parse(body) })
      response.writeHead(answers.shift() ?? 200).end()
    })
  })
  alarms = await makeAlarms(gateway.url)
  const env = { VAPID_PUBLIC_KEY: '', VAPID_PRIVATE_KEY: '' } // nothing can be pushed
  t = await createTestCore({ modules: [...builtinModules, alarms.module], env })
})
beforeEach(async () => {
  tenant = await t.foundTenant({ plan: 'business' })
  owner = tenant.owner
  received.splice(0)
  answers = []
})
after(async () => {
  await t?.close()
  await gateway?.close()
  await alarms?.remove()
})

type Preference = { notification_type: string; channels: { name: string; enabled: boolean }[] }
const preferencesOf = async (person: TestPerson) => (await person.get('/notifications/preferences')).body
const choose = (person: TestPerson, body: unknown) => person.put('/notifications/preferences', body)
const rest = (person: TestPerson, quiet_hours: unknown) => person.put('/notifications/quiet-hours', { quiet_hours })
const raise = (place: string) => tellPeople(t, tenant.id, alarmNotice, { data: { place } })
const mailsOf = async ({ email }: TestPerson, part: string) =>
  (await t.mails(email)).filter(({ subject }) => subject.includes(part))
const kindsOf = async (person: TestPerson) =>
  (await preferencesOf(person)).data.map((each: Preference) => each.notification_type)
/** Moves on to a time of the day, UTC. */
const moveTo = (hour: number) => {
  const now = new Date(t.clock.ms())
  const target = Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate() + 1, hour)
  t.clock.advance(target - t.clock.ms())
}

describe('preferences', () => {
  test('name what can reach the person here, and no more', async () => {
    const staff = await tenant.member({ role: 'staff' })
    const [all, few] = [await kindsOf(owner), await kindsOf(staff)]
    for (const kind of ['auth.password_changed', 'announcement', 'role.changed']) assert.ok(few.includes(kind), kind)
    for (const kind of ['user.invited', 'subscription.expiring', 'audit_sink.disabled']) {
      assert.ok(all.includes(kind), kind)
      assert.ok(!few.includes(kind), kind)
    }
    const { data } = await preferencesOf(owner)
    has(
      data.find((each: Preference) => each.notification_type === 'alarm.raised'),
      {
        name: 'Alarms',
        in_app_enabled: true,
        push_enabled: false,
        channels: [{ name: 'sms', enabled: true }],
        email_digest: false,
      },
    )
  })

  test('are changed by what is named, recorded, and each tenant’s own', async () => {
    const change = { data: [{ notification_type: 'alarm.raised', email_enabled: false }] }
    assert.equal((await choose(owner, change)).status, 200)
    assert.equal((await choose(owner, change)).status, 200)
    const { body } = await choose(owner, {
      data: [{ notification_type: 'alarm.raised', channels: [{ name: 'sms', enabled: false }] }],
    })
    has(
      body.data.find((each: Preference) => each.notification_type === 'alarm.raised'),
      { in_app_enabled: true, email_enabled: false, channels: [{ name: 'sms', enabled: false }] },
    )
    const { data: records } = (await owner.get('/audit?action=notification_preferences.updated')).body
    assert.equal(records.length, 2)
    await raise('Harbour')
    assert.equal((await listOf(owner, '&kind=alarm.raised')).length, 1)
    assert.deepEqual([(await mailsOf(owner, 'Harbour')).length, received.length], [0, 0])
  })

  test('keep what concerns security, and refuse what is not there', async () => {
    const problemsOf = async (data: object[]) => {
      const { status, body } = await choose(owner, { data })
      assert.equal(status, 400)
      return body.errors.map(({ pointer }: { pointer: string }) => pointer)
    }
    assert.deepEqual(
      await problemsOf([
        { notification_type: 'auth.password_changed', email_enabled: false, in_app_enabled: false },
        { notification_type: 'nothing.of_that', email_enabled: false },
        { notification_type: 'announcement', push_enabled: true, channels: [{ name: 'pigeon', enabled: true }] },
        { notification_type: 'role.changed', email_digest: true },
        { notification_type: 'role.changed', email_enabled: true },
      ]),
      [
        '#/data/0/in_app_enabled',
        '#/data/0/email_enabled',
        '#/data/1/notification_type',
        '#/data/2/push_enabled',
        '#/data/2/channels/0',
        '#/data/3/email_digest',
        '#/data/4/notification_type',
      ],
    )
    for (const quiet_hours of [
      { from: '24:00', to: '07:00' },
      { from: '22:00' },
      { from: '22:00', to: '22:00' },
      'always',
    ])
      assert.equal((await rest(owner, quiet_hours)).status, 400)
    has((await owner.get('/notifications/quiet-hours')).body, { quiet_hours: null })
  })

  test('say whose clock counts: the person’s, else the tenant’s, else UTC', async () => {
    has((await preferencesOf(owner)).data[0], { timezone: 'UTC', timezone_source: 'default' })
    assert.equal((await owner.put('/tenants/current/settings', { timezone: 'Asia/Tokyo' })).status, 200)
    has((await preferencesOf(owner)).data[0], { timezone: 'Asia/Tokyo', timezone_source: 'tenant' })
    assert.equal((await owner.put('/users/me', { timezone: 'Europe/Berlin' })).status, 200)
    has((await preferencesOf(owner)).data[0], { timezone: 'Europe/Berlin', timezone_source: 'person' })
  })
})

describe('quiet hours', () => {
  test('hold back mail and channels, and nothing in the list', async () => {
    await rest(owner, { from: '22:00', to: '07:00' })
    moveTo(23)
    await raise('Harbour')
    assert.equal((await listOf(owner, '&kind=alarm.raised')).length, 1)
    assert.deepEqual([(await mailsOf(owner, 'Harbour')).length, received.length], [0, 0])
    moveTo(7)
    await t.drainJobs(tenant.id)
    await t.drainJobs(tenant.id)
    assert.deepEqual([(await mailsOf(owner, 'Harbour')).length, received.length], [1, 1])
    await t.drainJobs(tenant.id)
    assert.equal((await mailsOf(owner, 'Harbour')).length, 1)
  })

  test('send nothing that was deleted, replaced or switched off meanwhile', async () => {
    await rest(owner, { from: '22:00', to: '07:00' })
    moveTo(23)
    await raise('Harbour')
    await raise('Harbour')
    await raise('Station')
    const station = (await listOf(owner)).find(({ title }) => title.includes('Station'))
    assert.equal((await owner.delete(`/notifications/${station?.id}`)).status, 204)
    moveTo(7)
    await t.drainJobs(tenant.id)
    await t.drainJobs(tenant.id)
    assert.equal((await mailsOf(owner, 'Harbour')).length, 1, 'the later one of two')
    assert.equal((await mailsOf(owner, 'Station')).length, 0)
    assert.equal(received.length, 1)
  })

  test('wait for nothing that concerns security', async () => {
    await rest(owner, { from: '00:00', to: '23:59' })
    moveTo(12)
    const kind = t.core.registry.notifications.get('auth.new_sign_in')
    assert.ok(kind)
    const [user] = await t.core.run(({ tx }) =>
      tx.selectFrom('users').selectAll().where('id', '=', owner.userId).execute(),
    )
    const data = {
      at: t.clock.now(),
      device: 'curl',
      named: 'program' as const,
      program: 'curl',
      system: '',
      ip_address: null,
    }
    await tellPeople(t, tenant.id, kind, { data: data as never, to: user ? [user] : [] })
    assert.equal((await mailsOf(owner, 'New sign-in')).length, 1)
  })
})

describe('a digest', () => {
  test('comes once a day, by the reader’s clock, with all that came', async () => {
    await choose(owner, { data: [{ notification_type: 'alarm.raised', email_digest: true }] })
    moveTo(9)
    await raise('Harbour')
    t.clock.advance(3 * HOURS)
    await raise('Station')
    assert.equal((await t.mails(owner.email)).length, 0)
    moveTo(8)
    await t.drainJobs(tenant.id)
    await t.drainJobs(tenant.id)
    const mails = await mailsOf(owner, 'What happened at')
    assert.equal(mails.length, 1)
    for (const place of ['Harbour', 'Station']) assert.match(mails[0]?.text ?? '', new RegExp(place))
    moveTo(9)
    await t.drainJobs(tenant.id)
    assert.equal((await mailsOf(owner, 'What happened at')).length, 1, 'none of nothing')
  })

  test('is ended by its own link, for the kinds that came in it alone', async () => {
    await choose(owner, { data: [{ notification_type: 'alarm.raised', email_digest: true }] })
    moveTo(9)
    await raise('Harbour')
    moveTo(8)
    await t.drainJobs(tenant.id)
    await t.drainJobs(tenant.id)
    const [mail] = await mailsOf(owner, 'What happened at')
    const link = mail?.text.match(/\S+(\/unsubscribe\?token=\S+)/)?.[1] ?? assert.fail('it offers no end')
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    for (const _ of ['once', 'again']) {
      const answer = await t.request('POST', link, { payload: 'List-Unsubscribe=One-Click', headers })
      assert.equal(answer.status, 200, answer.text)
    }
    const { data } = await preferencesOf(owner)
    const mailed = (kind: string) =>
      data.find((each: Preference & { email_enabled: boolean }) => each.notification_type === kind).email_enabled
    assert.deepEqual([mailed('alarm.raised'), mailed('announcement'), mailed('auth.new_sign_in')], [false, true, true])
    moveTo(9)
    await raise('Station')
    moveTo(8)
    await t.drainJobs(tenant.id)
    await t.drainJobs(tenant.id)
    assert.equal((await mailsOf(owner, 'What happened at')).length, 1)
    assert.equal((await listOf(owner, '&kind=alarm.raised')).length, 2)
    const { data: records } = (await owner.get('/audit?action=notification_preferences.updated')).body
    assert.equal(records.length, 2, 'the choice, and its end once')
  })
})

describe('a channel of a module', () => {
  test('sends by its gateway through the guarded client, again when that fails, and gives up what is refused', async () => {
    answers = [503]
    await raise('Harbour').catch(() => {})
    t.clock.advance(1 * HOURS)
    await t.drainJobs(tenant.id)
    assert.equal(received.length, 2)
    assert.equal(new Set(received.map(({ key }) => key)).size, 1, 'under the same id')
    assert.equal(received[0]?.text, 'Alarm at Harbour\nLook after Harbour.')
    assert.equal(received[0]?.to, owner.userId)
    answers = [422]
    await raise('Station')
    t.clock.advance(1 * HOURS)
    await t.drainJobs(tenant.id)
    assert.equal(received.length, 3)
    const [left] = await t.core.db.systemQuery<{ n: number }>(
      'select count(*)::int as n from notification_sends where tenant_id = $1',
      [tenant.id],
    )
    assert.equal(left?.n, 0)
  })

  test('tells of one kind in the place of that kind alone, however long the names in its key are', async () => {
    const place = 'Harbour'
    await raise(place)
    await tellPeople(t, tenant.id, offerNotice, { data: { name: place, until: fromNow(t.clock, HOURS) } })
    await raise('y'.repeat(300))
    const kinds = (await listOf(owner)).map(({ kind }) => kind)
    assert.deepEqual(kinds, ['alarm.raised', 'offer.made', 'alarm.raised'])
  })

  test('leads by its actions to addresses of the web and paths of the application alone', async () => {
    const led = async (name: string) => {
      await tellPeople(t, tenant.id, offerNotice, { data: { name, until: fromNow(t.clock, HOURS) } })
      return (await listOf(owner))[0]?.data.actions.map(({ link, route }) => link ?? route)
    }
    assert.deepEqual(await led('https://example.com/a'), ['https://example.com/a', '/https://example.com/a'])
    assert.deepEqual(await led('/evil.example'), [null, null])
    assert.deepEqual(await led('\\evil.example'), [null, null])
    for (const name of ['javascript:alert(1)', ' JavaScript:alert(1)', 'data:text/html,x', 'nothing'])
      assert.deepEqual(await led(name), [null, `/${name}`])
  })

  test('is not asked where nobody wants it', async () => {
    await announce(t, tenant.id)
    assert.equal(received.length, 0)
  })
})
