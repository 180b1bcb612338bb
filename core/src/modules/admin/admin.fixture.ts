import { newId, type OperatorRole } from '#kernel'
import type { TestCore, TestPerson } from '../../testing/index.ts'
import { asSuperuser } from '../audit/audit.fixture.ts'

/** One operator of each role. */
export async function operatorsOf(test: TestCore): Promise<Record<OperatorRole, TestPerson>> {
  const [support, billing, operations, all] = await Promise.all([
    test.addOperator(['support']),
    test.addOperator(['billing']),
    test.addOperator(['operations']),
    test.addOperator(['all']),
  ])
  return { support, billing, operations, all }
}

interface Recorded {
  action: string
  actor_type: string
  actor_id: string | null
  old_values: Record<string, unknown> | null
  new_values: Record<string, unknown>
}

/** What the tenant's own log says of what operators did. */
export const ownRecords = ({ core }: TestCore, tenantId: string) =>
  core.db.systemQuery<Recorded>(
    "select action, actor_type, actor_id, old_values, new_values from audit_logs where tenant_id = $1 and actor_type = 'admin' order by id",
    [tenantId],
  )

/** What the log of the installation says of what was done to a tenant. */
export const globalRecords = ({ core }: TestCore, tenantId: string) =>
  core.db.systemQuery<Recorded>(
    "select action, actor_type, actor_id, old_values, new_values from global_audit_logs where resource_id = $1 and action like 'admin.%' order by id",
    [tenantId],
  )

/** How many connections wait for something such as `advisory` or `transactionid`; only a superuser is told. */
export async function countWaiting(test: TestCore, event: string): Promise<number> {
  const [row] = await asSuperuser<{ count: number }>(
    test,
    'select count(*)::int as count from pg_stat_activity where datname = current_database() and wait_event = $1',
    [event],
  )
  return row?.count ?? 0
}

interface PlanOptions {
  price_cents?: number
  currency?: string
  interval?: 'month' | 'year'
  limits?: Record<string, number>
  is_active?: boolean
}

/** A plan that nobody but operators can choose. */
export async function addPrivatePlan({ core }: TestCore, code: string, options: PlanOptions = {}): Promise<string> {
  const { price_cents = 0, currency = 'USD', interval = 'month', limits = {}, is_active = true } = options
  const id = newId()
  await core.db.systemQuery(
    `insert into plans (id, code, name, description, price_cents, currency, interval, trial_days, limits, is_public, is_active, created_at, updated_at)
     values ($1, $2, $2, '', $3, $4, $5, 0, $6, false, $7, $8, $8) returning id`,
    [id, code, price_cents, currency, interval, JSON.stringify(limits), is_active, core.clock.now()],
  )
  return id
}
