import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { DAYS, fromNow, HOURS } from '#kernel'
import { createTestCore, type TestCore, type TestPerson, type TestTenant } from '../../../testing/index.ts'
import { makeKey, recordsOf } from '../api-keys.fixture.ts'
import { remind } from './remind.ts'

let t: TestCore
let tenant: TestTenant
before(async () => {
  t = await createTestCore()
})
beforeEach(async () => {
  tenant = await t.foundTenant({ plan: 'business' })
})
after(() => t.close())

const keyEndingIn = async (days: number, who = tenant.owner, name = 'Till') =>
  makeKey(who, { name, expires_at: fromNow(t.clock, days * DAYS) })
const run = async () => {
  await t.runSchedule(remind)
  await t.drainJobs(tenant.id)
}
const mailsOf = async ({ email }: TestPerson) =>
  (await t.mails(email)).filter(({ subject }) => /will expire/.test(subject))
const toldOf = async (who: TestPerson): Promise<string[]> =>
  (await who.get('/notifications?kind=api_key.expiring')).body.data.map(({ title }: { title: string }) => title)
const maker = () => tenant.member({ permissions: ['api_key.create', 'store.view', 'api_key.update', 'api_key.delete'] })

describe('a key that will expire', () => {
  test('is spoken of seven days and one day ahead, once each, to whoever made it', async () => {
    const person = await maker()
    const { id } = await keyEndingIn(10, person)
    await run()
    assert.equal((await mailsOf(person)).length, 0)
    for (const [advance, expected] of [
      [3 * DAYS, 1],
      [HOURS, 1],
      [5 * DAYS + 23 * HOURS, 2],
      [HOURS, 2],
      [2 * DAYS, 2],
    ] as const) {
      t.clock.advance(advance)
      await run()
      assert.equal((await mailsOf(person)).length, expected, `after ${advance / HOURS} hours`)
    }
    assert.equal((await mailsOf(tenant.owner)).length, 0)
    assert.deepEqual(await toldOf(person), [], 'what has expired is shown no longer')
    const actions = (await recordsOf(tenant, id)).map(({ action }) => action)
    assert.deepEqual(actions, ['api_key.created', 'api_key.expiring', 'api_key.expiring'])
  })

  test('is spoken of to the owners once its maker has left', async () => {
    const person = await maker()
    await keyEndingIn(8, person)
    await tenant.owner.delete(`/users/${person.userId}`)
    t.clock.advance(2 * DAYS)
    await run()
    assert.deepEqual([(await mailsOf(person)).length, (await mailsOf(tenant.owner)).length], [0, 1])
  })

  test('is not spoken of where that says nothing new, or it is ended already', async () => {
    await keyEndingIn(0.5)
    const [revoked, replaced, moved] = [await keyEndingIn(8), await keyEndingIn(8), await keyEndingIn(8)]
    await tenant.owner.delete(`/api-keys/${revoked.id}`)
    await tenant.owner.post(`/api-keys/${replaced.id}/rotate`, {})
    await tenant.owner.put(`/api-keys/${moved.id}`, { expires_at: fromNow(t.clock, 30 * DAYS) })
    t.clock.advance(2 * DAYS)
    await run()
    const mails = await mailsOf(tenant.owner)
    assert.equal(mails.length, 1, 'of the one in place of the replaced one')
    t.clock.advance(22 * DAYS)
    await run()
    assert.equal((await mailsOf(tenant.owner)).length, 2, 'a later end is spoken of anew')
  })

  test('stands in the list of whom it concerns, once, without a mail more', async () => {
    const [person, other] = [await maker(), await maker()]
    await keyEndingIn(8, person, 'Scales')
    t.clock.advance(2 * DAYS)
    await run()
    assert.deepEqual(await toldOf(person), ['The API key “Scales” will expire'])
    assert.deepEqual([await toldOf(other), await toldOf(tenant.owner)], [[], []])
    t.clock.advance(5 * DAYS + 12 * HOURS)
    await run()
    assert.deepEqual(
      await toldOf(person),
      ['The API key “Scales” will expire'],
      'a newer one in place of the unread one',
    )
    const { length } = (await t.mails(person.email)).filter(({ subject }) => subject.includes('API key'))
    assert.equal(length, 2)
  })

  test('comes in one mail with the others of its maker', async () => {
    await tenant.owner.put('/tenants/current/settings', { timezone: 'Asia/Tokyo' })
    await keyEndingIn(8, tenant.owner, 'Alpha')
    await keyEndingIn(8, tenant.owner, 'Beta')
    t.clock.advance(2 * DAYS)
    await run()
    const [mail, ...others] = await mailsOf(tenant.owner)
    assert.equal(others.length, 0)
    assert.ok(mail?.text.includes('Alpha') && mail.text.includes('Beta'))
    assert.match(mail?.text ?? '', /GMT\+9/, 'by the tenant’s clock, since the person has chosen none')
  })
})
