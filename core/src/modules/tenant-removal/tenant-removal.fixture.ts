import assert from 'node:assert/strict'
import pg from 'pg'
import { type Ctx, DAYS } from '#kernel'
import { createContext, noOrigin, systemActor } from '../../kernel/create-context.ts'
import type { TestCore, TestPerson, TestTenant } from '../../testing/index.ts'
import { carryOutNext, type Outcome } from './purge/carry-out.ts'

/** Runs something as nobody may but a superuser of the database. */
export async function asSuperuser<R extends pg.QueryResultRow>(
  { database }: Pick<TestCore, 'database'>,
  text: string,
  values: unknown[] = [],
): Promise<R[]> {
  const client = new pg.Client({ connectionString: database.superuserUrl })
  await client.connect()
  try {
    return (await client.query<R>(text, values)).rows
  } finally {
    await client.end()
  }
}

export const remove = (operator: TestPerson, id: string, reason?: string) =>
  operator.delete(`/admin/tenants/${id}${reason === undefined ? '' : `?reason=${encodeURIComponent(reason)}`}`)

/** As if all that is marked had been for so many days, by the clock of the database. */
export const age = (t: TestCore, days: number) =>
  asSuperuser(t, 'update core.tenant_removals set marked_at = now() - make_interval(days => $1, secs => 10)', [days])

/** Lets thirty days pass, also by the clock of the database. */
export async function passGrace(t: TestCore): Promise<void> {
  t.clock.advance(30 * DAYS + 1000)
  await age(t, 30)
}

/** As a job without a tenant works. */
export const asJob = <T>(t: TestCore, work: (ctx: Ctx) => Promise<T>): Promise<T> =>
  t.core.db.aside(() =>
    work(createContext(t.core, { tenant: null, storeId: null, actor: systemActor, origin: noOrigin })),
  )

/** One run of the job. */
export const runOnce = (t: TestCore, budgetMs?: number): Promise<Outcome> =>
  asJob(t, (ctx) => carryOutNext(ctx, budgetMs))

/** Carries everything out that is due, run after run. */
export async function carryOut(t: TestCore, budgetMs?: number): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  for (let outcome = await runOnce(t, budgetMs); outcome !== 'none'; outcome = await runOnce(t, budgetMs)) {
    outcomes.push(outcome)
    assert.ok(outcomes.length < 2_000, 'it comes to no end')
  }
  return outcomes
}

/** Rows of a table that a tenant has. */
export async function countOf(t: TestCore, table: string, tenantId: string): Promise<number> {
  const [row] = await asSuperuser<{ rows: number }>(
    t,
    `select count(*)::int as rows from core.${pg.escapeIdentifier(table)} where tenant_id = $1`,
    [tenantId],
  )
  return row?.rows ?? 0
}

/** A hash of all rows of a tenant, by table. */
export async function hashesOf(t: TestCore, tenantId: string): Promise<Map<string, string>> {
  const tables = await asSuperuser<{ name: string; key: string }>(
    t,
    "select name, tenant_key as key from tenantry.tables where kind = 'tenant' order by name",
  )
  const hashes = new Map<string, string>()
  for (const { name, key } of tables) {
    const [row] = await asSuperuser<{ hash: string }>(
      t,
      `select md5(coalesce(string_agg(md5(r::text), '' order by r::text), '')) as hash from core.${name} r where ${key} = $1`,
      [tenantId],
    )
    hashes.set(name, row?.hash ?? '')
  }
  return hashes
}

/** Sends a file of the tenant. */
export const upload = (tenant: TestTenant, content: string) =>
  tenant.owner.request('POST', '/files', { form: { fields: {}, file: { name: 'a.txt', content } } })

/** A tenant with some of what there may be, which was deleted and whose time has come. */
export async function dueTenant(t: TestCore, operator: TestPerson): Promise<TestTenant> {
  const tenant = await t.foundTenant({ plan: 'business' })
  await tenant.owner.post('/stores', { name: 'Second' })
  await tenant.member({ role: 'staff' })
  const { id } = (await tenant.owner.post('/api-keys', { name: 'Old', scopes: ['store.view'] })).body
  await tenant.owner.post(`/api-keys/${id}/rotate`, { overlap_hours: 1 })
  await upload(tenant, 'twelve bytes')
  await t.drainJobs(tenant.id)
  assert.equal((await remove(operator, tenant.id)).status, 202)
  await passGrace(t)
  return tenant
}

/** Makes and drops tables as a migration would. */
export const asOwner = (t: TestCore, text: string) =>
  asSuperuser(t, `set role tenantry_test_owner; set search_path = core, public; ${text}`)
