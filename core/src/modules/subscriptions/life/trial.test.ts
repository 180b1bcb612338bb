import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { TestCore, TestCoreOptions, TestPerson } from '../../../testing/index.ts'
import { createShop, runRollOver, storedOf } from '../subscriptions.fixture.ts'

/** A core, a second one on its database, and a person who has founded nothing. */
async function withPerson(
  work: (test: TestCore, other: TestCore, person: TestPerson) => Promise<void>,
  options: TestCoreOptions = {},
): Promise<void> {
  const test = await createShop(options)
  const other = await createShop({ ...options, database: test.database })
  try {
    await work(test, other, await test.addPerson())
  } finally {
    await other.close()
    await test.close()
  }
}

async function foundBy(test: TestCore, person: TestPerson) {
  const token = await person.token()
  const answer = await test.request('POST', '/api/v1/tenants', { token, body: { name: 'Acme' } })
  assert.equal(answer.status, 201, answer.text)
  const { status, plan_id } = await storedOf(test, answer.body.id)
  return { tenantId: answer.body.id as string, status, plan_id } // an id is a string
}

const trialsOf = async (test: TestCore) => {
  const [row] = await test.core.db.systemQuery<{ trials: number }>('select trials from person_trials')
  return row?.trials
}

describe('a person who founds tenants', () => {
  it('has one trial; later tenants begin on the free plan, without an end', () =>
    withPerson(async (test, _other, person) => {
      assert.equal((await foundBy(test, person)).status, 'trialing')
      const second = await foundBy(test, person)
      const owner = person.in(second.tenantId)
      const current = async () => (await owner.get('/subscriptions/current')).body
      const subscription = await current()
      assert.deepEqual(
        [subscription.status, subscription.plan.code, subscription.trial_ends_at],
        ['active', 'free', null],
      )
      const limited = await owner.post('/stores', { name: 'Second' })
      assert.equal(`${limited.status} ${limited.body.code}`, '402 plan_limit_reached')
      test.clock.advance(100 * 86_400_000)
      await runRollOver(test)
      const later = await current()
      assert.deepEqual([later.status, later.plan.code], ['active', 'free'])
      assert.ok(later.current_period_end > test.clock.now())
    }))

  it('has exactly one among twenty founded at the same time, over two processes', () =>
    withPerson(async (test, other, person) => {
      const all = await Promise.all(Array.from({ length: 20 }, (_, i) => foundBy(i % 2 ? other : test, person)))
      assert.equal(all.filter(({ status }) => status === 'trialing').length, 1)
      assert.equal(all.filter(({ status }) => status === 'active').length, 19)
      assert.equal(await trialsOf(test), 1)
    }))

  it('gets none back when the tenant goes, nor when somebody looks twice after a tenant without a subscription', () =>
    withPerson(async (test, other, person) => {
      const first = await foundBy(test, person)
      await test.core.db.systemQuery('delete from subscriptions where tenant_id = $1', [first.tenantId])
      await Promise.all([runRollOver(test), runRollOver(other), runRollOver(test)])
      assert.equal((await storedOf(test, first.tenantId)).status, 'active')
      assert.equal(await trialsOf(test), 1)
      assert.equal((await foundBy(test, person)).status, 'active')
      await test.core.db.systemQuery('delete from subscriptions where tenant_id = $1', [first.tenantId])
      await test.core.db.systemQuery('update person_trials set trials = 0')
      await Promise.all([runRollOver(test), runRollOver(other), runRollOver(test), runRollOver(other)])
      assert.equal((await storedOf(test, first.tenantId)).status, 'trialing')
      assert.equal(await trialsOf(test), 1, 'one that did not begin is not counted')
    }))

  it('has as many as TRIALS_PER_PERSON says, and none with 0', async () => {
    const statuses = (count: string) => {
      const found: string[] = []
      return withPerson(
        async (test, _other, person) => {
          for (let i = 0; i < 3; i++) found.push((await foundBy(test, person)).status as string) // a text column
        },
        { env: { TRIALS_PER_PERSON: count } },
      ).then(() => found)
    }
    assert.deepEqual(await statuses('2'), ['trialing', 'trialing', 'active'])
    assert.deepEqual(await statuses('0'), ['active', 'active', 'active'])
  })
})
