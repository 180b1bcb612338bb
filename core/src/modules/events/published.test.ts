import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Value } from 'typebox/value'
import { DAYS, newId } from '#kernel'
import { createTestCore, type TestCore } from '../../testing/index.ts'
import { uploaded } from '../files/files.fixture.ts'
import { BUSINESS, runRollOver, STARTER } from '../subscriptions/subscriptions.fixture.ts'
import { makeStore, pullAll, rename } from './events.fixture.ts'

let t: TestCore
before(async () => {
  t = await createTestCore()
})
after(() => t.close())

test('what comes of every event that goes out is as its catalogue says', async () => {
  const expiring = await t.foundTenant()
  const { owner, id, member } = await t.foundTenant({ plan: 'business' })
  const done = async (answer: Promise<{ status: number; text: string; body: { id: string } }>) => {
    const { status, text, body } = await answer
    assert.ok(status < 300, text)
    return body
  }

  const store = await makeStore(owner)
  await rename(owner, store.id)

  const role = await done(owner.post('/roles', { name: 'Cook', permissions: ['store.view'] }))
  await done(owner.put(`/roles/${role.id}`, { name: 'Chef', permissions: ['store.view', 'file.view'] }))
  const person = { email: `${newId()}@example.com`, name: 'Carl Cook', roles: [{ role_id: role.id, store_id: null }] }
  await done(owner.post('/users/invite', { ...person, email: `${newId()}@example.com` }))
  const user = await done(owner.post('/users', { ...person, password: 'a quiet walk along the river' }))
  await done(owner.put(`/users/${user.id}`, { job_title: 'Head of soup' }))
  await done(owner.delete(`/users/${user.id}/roles/${role.id}`))
  await done(owner.post(`/users/${user.id}/roles`, { role_id: role.id }))
  await done(owner.delete(`/users/${user.id}`))
  await member({ role: 'staff' })
  const other = await done(owner.post('/roles', { name: 'Baker', permissions: [] }))
  await done(owner.delete(`/roles/${other.id}`))

  const file = await uploaded(owner, undefined, { entity_type: 'store', entity_id: store.id })
  await done(owner.put(`/files/${file.id}`, { filename: 'list.txt' }))
  await done(owner.delete(`/files/${file.id}`))
  await done(owner.post(`/files/${file.id}/restore`))
  await done(owner.delete(`/files/${file.id}`))
  await done(owner.delete('/files/trash'))
  await done(owner.delete(`/stores/${store.id}`))

  await done(owner.post('/subscriptions/current/change-plan', { plan_id: STARTER }))
  await done(owner.post('/subscriptions/current/change-plan', { plan_id: BUSINESS }))
  await done(owner.post('/subscriptions/current/cancel', { at_period_end: true }))
  await t.drainJobs(id)
  t.clock.advance(40 * DAYS)
  await runRollOver(t)
  await t.drainJobs(id)

  const { published } = t.core.registry
  const events = (await Promise.all([owner, expiring.owner].map((each) => pullAll(each)))).flatMap(
    ({ events }) => events,
  )
  for (const { type, data } of events) {
    const schema = published.get(type)?.schema
    assert.ok(schema, type)
    assert.ok(Value.Check(schema, data), `${type}: ${JSON.stringify([...Value.Errors(schema, data)])}`)
    assert.deepEqual(Value.Clean({ ...schema, additionalProperties: false }, structuredClone(data)), data, type)
  }
  const seen = new Set(events.map(({ type }) => type))
  assert.deepEqual(
    [...published.keys()].filter((name) => !seen.has(name)),
    [],
  )
})
