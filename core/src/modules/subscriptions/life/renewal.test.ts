import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import pg from 'pg'
import { DAYS } from '#kernel'
import { migrationsOf } from '../../../create-core.ts'
import { checkCatalogue } from '../../../kernel/db/catalogue.ts'
import { migrate } from '../../../kernel/db/migrate.ts'
import { runSchedule } from '../../../kernel/jobs/schedules.ts'
import { TEST_ROLES } from '../../../testing/cluster.ts'
import { createTestCore, type TestCore } from '../../../testing/index.ts'
import { subscriptions } from '../index.ts'
import {
  BUSINESS,
  type Customer,
  createShop,
  FREE,
  foundCustomer,
  runRollOver,
  STARTER,
  storedOf,
  takeSubscription,
  testModules,
} from '../subscriptions.fixture.ts'
import { openAllMissing, rollOver } from './renewal.ts'

const actionsOf = async (customer: Customer) => (await customer.history()).map(({ action }) => action.split('.')[1])
const statusOf = async (test: TestCore, { tenantId }: Customer) => (await storedOf(test, tenantId)).status

describe('the schedule that rolls subscriptions over', () => {
  let test: TestCore
  before(async () => {
    test = await createShop()
  })
  after(() => test.close())

  it('gives a trial to tenants of processes that knew nothing of subscriptions', async () => {
    const customer = await foundCustomer(test)
    await takeSubscription(test, customer)
    assert.equal((await customer.get('/subscriptions/current')).status, 404)
    await runRollOver(test)
    assert.equal((await customer.get('/subscriptions/current')).body.status, 'trialing')
    assert.equal((await customer.post('/prints', {})).status, 200)
    await runRollOver(test)
    assert.deepEqual(await actionsOf(customer), ['created', 'created'])
  })

  it('leaves no tenant without a subscription for ever, however long it has been there', async () => {
    const customer = await foundCustomer(test)
    await takeSubscription(test, customer)
    test.clock.advance(400 * DAYS)
    await runRollOver(test)
    assert.equal((await customer.get('/subscriptions/current')).status, 404, 'looked for among the new ones alone')
    await runSchedule(test.core, openAllMissing)
    assert.equal((await customer.get('/subscriptions/current')).body.status, 'trialing')
    await runSchedule(test.core, openAllMissing)
    assert.deepEqual(await actionsOf(customer), ['created', 'created'])
  })

  it('runs every ten minutes, and more often does nothing more', async () => {
    assert.deepEqual(
      subscriptions.schedules.map(({ name, cron }) => [name, cron]),
      [
        ['subscriptions.roll_over', '*/10 * * * *'],
        ['subscriptions.open_all_missing', '25 * * * *'],
      ],
    )
    const customer = await foundCustomer(test)
    await runRollOver(test)
    await runRollOver(test)
    assert.deepEqual(await actionsOf(customer), ['created'])
  })

  it('warns of the end of a trial once, then ends it', async () => {
    const customer = await foundCustomer(test)
    test.clock.advance(11 * DAYS)
    await runRollOver(test)
    await runRollOver(test)
    assert.deepEqual(await actionsOf(customer), ['created', 'trial_ending'])
    test.clock.advance(3 * DAYS)
    await runRollOver(test)
    await runRollOver(test)
    assert.deepEqual(await actionsOf(customer), ['created', 'trial_ending', 'expired'])
    const stored = await storedOf(test, customer.tenantId)
    assert.deepEqual([stored.status, stored.next_change_at], ['expired', null])
    assert.deepEqual((await customer.history()).at(-1)?.actor, 'system')
  })

  it('begins the first period of who has a payment method, and catches up on every period that was missed', async () => {
    const customer = await foundCustomer(test)
    await customer.pay()
    const begun = await storedOf(test, customer.tenantId)
    test.clock.advance(14 * DAYS + 95 * DAYS)
    await runRollOver(test)
    const stored = await storedOf(test, customer.tenantId)
    assert.equal(stored.status, 'active')
    assert.ok(stored.current_period_start <= test.clock.now() && stored.current_period_end > test.clock.now())
    const starts = (await customer.history())
      .flatMap(({ new_values }) => (new_values?.current_period_start as string | undefined) ?? [])
      .slice(1)
    assert.equal(starts.length, 4, 'the first period and three more')
    assert.equal(starts[0], begun.trial_ends_at)
    assert.equal(starts.at(-1), stored.current_period_start)
  })

  it('gives grace to who cannot pay, warns, and ends it', async () => {
    const customer = await foundCustomer(test)
    await customer.pay()
    test.clock.advance(14 * DAYS)
    await runRollOver(test)
    await test.core.db.systemQuery(
      'update subscriptions set payment_method = null, payment_provider = null where tenant_id = $1',
      [customer.tenantId],
    )
    // By the day that the row names: months differ in length.
    const advanceTo = async (column: 'current_period_end' | 'grace_ends_at', daysBefore = 0) => {
      const moment = Date.parse((await storedOf(test, customer.tenantId))[column])
      test.clock.advance(moment - daysBefore * DAYS - test.clock.ms())
      await runRollOver(test)
    }
    await advanceTo('current_period_end')
    assert.equal(await statusOf(test, customer), 'past_due')
    assert.equal((await customer.post('/prints', {})).status, 200, 'grace means that work goes on')
    await advanceTo('grace_ends_at', 2)
    await advanceTo('grace_ends_at')
    assert.deepEqual((await actionsOf(customer)).slice(-3), ['changed', 'expiring', 'expired'])
    assert.equal((await customer.post('/prints', {})).status, 402)
  })

  it('lets who pays within the grace go on', async () => {
    const customer = await foundCustomer(test)
    await customer.change('change-plan', { plan_id: FREE })
    test.clock.advance(14 * DAYS)
    assert.equal((await customer.pay()).body.status, 'active')
    await customer.change('change-plan', { plan_id: BUSINESS })
    await test.core.db.systemQuery(
      'update subscriptions set payment_method = null, payment_provider = null where tenant_id = $1',
      [customer.tenantId],
    )
    test.clock.advance(31 * DAYS)
    const due = (await customer.get('/subscriptions/current')).body
    assert.deepEqual([due.status, due.payment_method], ['past_due', null])
    assert.ok(due.grace_ends_at)
    const { body } = await customer.pay()
    assert.deepEqual([body.status, body.grace_ends_at, body.plan.code], ['active', null, 'business'])
    assert.equal(body.current_period_start, due.current_period_start)
  })

  it('never ends what is free', async () => {
    const customer = await foundCustomer(test)
    await customer.change('change-plan', { plan_id: FREE, at: 'now' })
    test.clock.advance(800 * DAYS)
    assert.equal((await customer.get('/subscriptions/current')).body.status, 'active')
    await runRollOver(test)
    assert.equal(await statusOf(test, customer), 'active')
    assert.ok(!(await actionsOf(customer)).includes('trial_ending'))
  })

  it('forgets what was counted in periods long gone', async () => {
    const customer = await foundCustomer(test)
    await customer.pay()
    const periods = () =>
      test.core.db.systemQuery('select used from limit_usage where tenant_id = $1', [customer.tenantId])
    for (let period = 0; period < 4; period++) {
      await customer.post('/prints', {})
      test.clock.advance(31 * DAYS)
      await runRollOver(test)
    }
    assert.ok((await periods()).length <= 2)
  })

  it('does one tenant after another, whatever becomes of one of them', async () => {
    const [broken, fine] = [await foundCustomer(test), await foundCustomer(test)]
    await test.core.db.systemQuery(
      "update subscriptions set status = 'active', anchored_at = 'infinity', next_change_at = 'epoch', payment_method = '{}', payment_provider = 'manual' where tenant_id = $1",
      [broken.tenantId],
    )
    test.clock.advance(15 * DAYS)
    await runRollOver(test)
    assert.equal(await statusOf(test, fine), 'expired')
    assert.ok(
      test.logs.some(
        (line) => line.includes('the work of a sweep on one tenant failed') && line.includes(broken.tenantId),
      ),
    )
    await test.core.db.systemQuery('delete from subscriptions where tenant_id = $1', [broken.tenantId])
  })
})

describe('many processes on one database', () => {
  it('record everything that the clock did once', async () => {
    const test = await createShop()
    const others = [await createShop({ database: test.database }), await createShop({ database: test.database })]
    const cores = [test, ...others]
    try {
      const customers: Customer[] = []
      for (let i = 0; i < 12; i++) customers.push(await foundCustomer(test))
      for (const customer of customers.slice(0, 6)) await customer.pay()
      for (const { clock } of cores) clock.advance(50 * DAYS)
      // Without the lock by which the queue keeps a schedule to one process; and with people coming by at the same time.
      await Promise.all([
        ...cores.flatMap((core) => [runRollOver(core), runRollOver(core)]),
        ...customers.map((customer) => customer.get('/subscriptions/current', others[0])),
        ...customers.map((customer) =>
          customer.post('/subscriptions/current/cancel', { at_period_end: true }, others[1]),
        ),
      ])
      await runRollOver(test)
      for (const [index, customer] of customers.entries()) {
        const actions = await actionsOf(customer)
        if (index < 6) {
          const rolled = (await customer.history()).filter(({ new_values }) => new_values?.current_period_start)
          assert.equal(rolled.length, 3, 'created, the first period, the second')
        } else assert.equal(actions.filter((action) => action === 'expired').length, 1)
      }
    } finally {
      for (const core of others) await core.close()
      await test.close()
    }
  })
})

describe('tenants from before there were subscriptions', () => {
  it('get the trial of a new one by the migration, and the schema keeps to its rules', async () => {
    const before = testModules.filter(({ name }) => !['subscriptions', 'admin', 'print_shop'].includes(name))
    const old = await createTestCore({ modules: before })
    try {
      const { owner } = await old.foundTenant()
      const modules = [...before, subscriptions]
      const { database } = old
      const sources = migrationsOf(modules)
      await migrate({ ...database, appRole: TEST_ROLES.app.name, systemRole: TEST_ROLES.system.name, sources })
      const now = await createTestCore({ modules, database })
      try {
        const token = await owner.token()
        const { body } = await now.request('GET', '/api/v1/subscriptions/current', { token })
        assert.deepEqual([body.status, body.plan.id], ['trialing', STARTER])
        assert.equal(Date.parse(body.trial_ends_at) - Date.parse(body.current_period_start), 14 * DAYS)
        await runSchedule(now.core, rollOver)
        const client = new pg.Client({ connectionString: database.superuserUrl })
        await client.connect()
        const problems = await checkCatalogue(async (sql, values) => (await client.query(sql, values)).rows)
        await client.end()
        assert.deepEqual(problems, [])
      } finally {
        await now.close()
      }
    } finally {
      await old.close()
    }
  })
})
