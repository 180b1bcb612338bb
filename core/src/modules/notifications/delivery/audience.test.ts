import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type NotifiedPerson, newId } from '#kernel'
import { createTestCore, type TestCore, type TestPerson } from '../../../testing/index.ts'
import { newSignInNotice } from '../../auth/notifications.ts'
import { builtinModules } from '../../index.ts'
import { createMember } from '../../members/index.ts'
import { findUser } from '../../users/index.ts'
import { announce, badgeOf, listOf, tellPeople } from '../notifications.fixture.ts'
import { alarmNotice, makeAlarms } from './gateway.fixture.ts'

let t: TestCore
let alarms: Awaited<ReturnType<typeof makeAlarms>>
before(async () => {
  alarms = await makeAlarms()
  t = await createTestCore({ modules: [...builtinModules, alarms.module] })
})
after(async () => {
  await t?.close()
  await alarms?.remove()
})

describe('who is told', () => {
  test('holds the permission in the store that it is about, or for all of them, and is active', async () => {
    const tenant = await t.foundTenant({ plan: 'business' })
    const [here, there] = [newId(), newId()].map((name) => tenant.owner.post('/stores', { name }))
    const [one, other] = [(await here)?.body.id, (await there)?.body.id]
    const permissions = ['store.view', 'user.view']
    const [inOne, inOther] = [
      await tenant.member({ permissions, store: one }),
      await tenant.member({ permissions, store: other }),
    ]
    const nobody = await tenant.member({ permissions: ['api_key.view'] })
    const gone = await tenant.member({ permissions })
    assert.equal((await tenant.owner.put(`/users/${gone.userId}`, { status: 'disabled' })).status, 200)
    const data = { place: 'Harbour' }
    await tenant.run((ctx) => ctx.notify(alarmNotice, { data, storeId: one }))
    await t.drainJobs(tenant.id).catch(() => {}) // nobody answers at the gateway
    const told = async (person: TestPerson) => (await listOf(person, '&kind=alarm.raised')).length
    assert.deepEqual(
      [await told(tenant.owner), await told(inOne), await told(inOther), await told(nobody)],
      [1, 1, 0, 0],
    )
    assert.equal((await tenant.owner.put(`/users/${gone.userId}`, { status: 'active' })).status, 200)
    assert.equal(await told(gone), 0)
  })

  test('is nobody of another tenant', async () => {
    const [one, other] = [await t.foundTenant(), await t.foundTenant()]
    await announce(t, one.id)
    assert.deepEqual([await badgeOf(one.owner), await badgeOf(other.owner)], [1, 0])
  })
})

describe('what concerns a person and no tenant', () => {
  const personOf = (id: string) => t.core.run(({ tx }) => findUser(tx, id)) as Promise<NotifiedPerson>
  const tell = async (person: TestPerson, tenantId: string | null) => {
    const to = [await personOf(person.userId)]
    const data = {
      at: t.clock.now(),
      device: 'curl',
      named: 'program' as const,
      program: 'curl',
      system: '',
      ip_address: null,
    }
    await t.core.run((ctx) => ctx.notify(newSignInNotice, { data, to }), { tenantId })
    await t.drainJobs(tenantId)
    await t.drainJobs(null)
  }
  const join = async (person: TestPerson) => {
    const tenant = await t.foundTenant({ plan: 'business' })
    await tenant.run(async (ctx) => {
      const user = await findUser(ctx.tx, person.userId)
      assert.ok(user)
      await createMember(ctx, { user, name: user.name, roles: [] })
    })
    return { ...tenant, as: person.in(tenant.id) }
  }
  const mailed = async ({ email }: TestPerson, tenants: readonly { id: string }[]) => {
    for (const { id } of tenants) await t.drainJobs(id)
    return (await t.mails(email)).filter(({ subject }) => subject === 'New sign-in to your account').length
  }
  const seen = async (person: TestPerson) => (await listOf(person, '&kind=auth.new_sign_in')).length

  test('comes once: where it happened, else where they were last, else where they have been longest', async () => {
    const person = await t.addPerson()
    const [old, young] = [await join(person), await join(person)]
    await tell(person, null)
    assert.equal(await seen(old.as), 1, 'nobody has signed in anywhere yet')
    await young.as.get('/notifications')
    await tell(person, null)
    await tell(person, old.id)
    assert.deepEqual([await seen(old.as), await seen(young.as)], [2, 1])
    assert.equal(await mailed(person, [old, young]), 3)
  })

  test('comes elsewhere where they are not active any more', async () => {
    const person = await t.addPerson()
    const [old, young] = [await join(person), await join(person)]
    await young.owner.put(`/users/${person.userId}`, { status: 'disabled' })
    await tell(person, young.id)
    await t.drainJobs(young.id)
    assert.equal(await seen(old.as), 1)
    assert.equal(await mailed(person, [old, young]), 1)
  })

  test('comes by mail alone to whoever is in no tenant', async () => {
    const person = await t.addPerson()
    await tell(person, null)
    assert.equal(await mailed(person, []), 1)
  })

  test('says nothing in a tenant that they do not belong to', async () => {
    const person = await t.addPerson()
    const [own, foreign] = [await join(person), await t.foundTenant()]
    await tell(person, foreign.id)
    await t.drainJobs(foreign.id)
    assert.equal(await seen(own.as), 1)
    const sql = 'select 1 from notifications where tenant_id = $1'
    assert.deepEqual(await t.core.db.systemQuery(sql, [foreign.id]), [])
    await tellPeople(t, foreign.id, alarmNotice, { data: { place: 'X' } }).catch(() => {}) // as above
    assert.equal((await listOf(own.as, '&kind=alarm.raised')).length, 0)
  })
})
