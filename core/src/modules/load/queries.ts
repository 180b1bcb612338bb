import { type RawBuilder, sql, type Tx } from '#kernel'
import { type LoadRow, MEASURES, OTHERS, OUTSIDE } from './table.ts'

// Everything here is about all tenants: for the system role.

const columns = sql.raw(MEASURES.join(', '))
/** `db_us = <of>.db_us <sign> <more>.db_us, …` */
const combined = (of: string, sign: '+' | '-', more: string) =>
  sql.raw(MEASURES.map((name) => `${name} = ${of}.${name} ${sign} ${more}.${name}`).join(', '))
const summed = sql.raw(MEASURES.map((name) => `sum(${name})::bigint as ${name}`).join(', '))

/** Of these ids those that are a tenant's. */
export async function listTenantIds(tx: Tx, ids: readonly string[]): Promise<string[]> {
  const rows = await tx.selectFrom('tenants').select('id').where(sql<boolean>`id = any(${ids}::uuid[])`).execute()
  return rows.map(({ id }) => id)
}

/** Adds figures to those of a minute, whoever wrote them. In the order of the ids, so that no two processes meet crosswise. */
export async function upsertMinute(tx: Tx, startsAt: string, rows: readonly LoadRow[]): Promise<void> {
  const values = MEASURES.map((name) => sql`${rows.map((row) => row[name])}::bigint[]`)
  await sql`insert into load_minutes as m (starts_at, tenant_id, ${columns})
    select ${startsAt}::timestamptz, n.tenant_id, ${columns}
    from unnest(${rows.map(({ tenant_id }) => tenant_id)}::uuid[], ${sql.join(values)}) as n (tenant_id, ${columns})
    order by n.tenant_id
    on conflict (starts_at, tenant_id) do update set ${combined('m', '+', 'excluded')}
    returning 1`.execute(tx)
}

export interface MergeBounds {
  now: string
  /** Minutes that began before it are merged, */
  before: string
  /** and those that a wrong clock wrote, which begin after this. */
  furthest: string
}

/** Makes quarters of an hour of minutes, and adds them to the totals: all at once, so that nothing counts twice or never. */
export async function deleteMergedMinutes(tx: Tx, { now, before, furthest }: MergeBounds): Promise<void> {
  await sql`with merged as (
      delete from load_minutes where starts_at < ${before} or starts_at > ${furthest} returning *
    ), quarters as (
      select ${quarterOf(sql`least(starts_at, ${now}::timestamptz)`)} as starts_at, tenant_id, ${summed}
      from merged group by 1, 2
    ), kept as (
      insert into load_quarters as q (starts_at, tenant_id, ${columns})
      select starts_at, tenant_id, ${columns} from quarters order by starts_at, tenant_id
      on conflict (starts_at, tenant_id) do update set ${combined('q', '+', 'excluded')}
      returning 1
    )
    insert into load_totals as t (tenant_id, ${columns})
    select tenant_id, ${summed} from quarters group by tenant_id order by tenant_id
    on conflict (tenant_id) do update set ${combined('t', '+', 'excluded')}
    returning 1`.execute(tx)
}

/** Forgets quarters that began before `from`, and takes them off the totals. False: there were none. */
export async function deleteQuartersBefore(tx: Tx, from: string): Promise<boolean> {
  const { rows } = await sql`with gone as (
      delete from load_quarters where starts_at < ${quarterOf(sql`${from}::timestamptz`)} returning *
    ), of_tenant as (
      select tenant_id, ${summed} from gone group by tenant_id
    )
    update load_totals t set ${combined('t', '-', 'o')} from of_tenant o where o.tenant_id = t.tenant_id
    returning 1`.execute(tx)
  return rows.length > 0
}

/** Forgets tenants of which nothing is left. */
export async function deleteEmptyTotals(tx: Tx): Promise<void> {
  const isEmpty = sql.raw(MEASURES.map((name) => `${name} = 0`).join(' and '))
  await sql`delete from load_totals where ${isEmpty} returning 1`.execute(tx)
}

/** Forgets the figures of a tenant in one of the tables, and says how many rows these were. */
export async function deleteLoadOf(
  tx: Tx,
  table: 'load_minutes' | 'load_quarters' | 'load_totals',
  tenantId: string,
): Promise<number> {
  const { numDeletedRows } = await tx.deleteFrom(table).where('tenant_id', '=', tenantId).executeTakeFirstOrThrow()
  return Number(numDeletedRows)
}

const quarterOf = (moment: RawBuilder<unknown>) => sql`date_bin('15 minutes', ${moment}, '2000-01-01T00:00:00Z')`

/** When the first of the quarters begins that are in the totals, and the first of the minutes that are not; null: there are none. */
export async function findMerged(tx: Tx): Promise<{ quarter: string | null; minute: string | null }> {
  const first = (table: 'load_quarters' | 'load_minutes') =>
    tx.selectFrom(table).select((eb) => eb.fn.min('starts_at').as('first'))
  const [quarter, minute] = await Promise.all(
    [first('load_quarters'), first('load_minutes')].map((query) => query.executeTakeFirstOrThrow()),
  )
  return { quarter: quarter?.first ?? null, minute: minute?.first ?? null }
}

/** A place in a ranking; the sum of all; or that there are tenants which are not told apart. */
export interface Ranked {
  kind: 'top' | 'total' | 'others'
  measure: (typeof MEASURES)[number]
  tenant_id: string
  value: number
}

const floats = sql.raw(MEASURES.map((name) => `${name}::float8 as ${name}`).join(', '))
/** Sums of the figures of each tenant: as float8, since sums of bigint are numeric, which takes a fifth longer. Exact up to 2^53. */
const summedQuickly = sql.raw(MEASURES.map((name) => `sum(${name}::float8) as ${name}`).join(', '))

/** The tenants with most of each measure, and the sums, of the minutes that began at `from` or later; null: of the totals. */
export async function listRanked(tx: Tx, from: string | null, most: number): Promise<Ranked[]> {
  const figures =
    from === null
      ? sql`select tenant_id, ${floats} from load_totals`
      : sql`select tenant_id, ${summedQuickly} from load_minutes where starts_at >= ${from} group by tenant_id`
  const tops = MEASURES.map((name) => {
    const column = sql.ref(name)
    return sql`(select 'top' as kind, ${sql.lit(name)} as measure, tenant_id, ${column}::bigint as value from of_tenant
      where ${column} > 0 and tenant_id not in (${sql.lit(OUTSIDE)}, ${sql.lit(OTHERS)})
      order by ${column} desc, tenant_id limit ${most})`
  })
  const sums = MEASURES.map(
    (name) =>
      sql`select 'total', ${sql.lit(name)}, ${sql.lit(OUTSIDE)}::uuid, coalesce(sum(${sql.ref(name)}), 0)::bigint from of_tenant`,
  )
  const others = sql`select 'others', 'requests', tenant_id, 1::bigint from of_tenant where tenant_id = ${sql.lit(OTHERS)}`
  const { rows } =
    await sql<Ranked>`with of_tenant as materialized (${figures}) ${sql.join([...tops, ...sums, others], sql` union all `)}`.execute(
      tx,
    )
  return rows
}

export type NamedRow = Awaited<ReturnType<typeof listNamed>>[number]

/** What these tenants are called, and what holds them back. */
export const listNamed = (tx: Tx, ids: readonly string[]) =>
  tx
    .selectFrom('tenants as t')
    .leftJoin('tenant_throttles as h', 'h.tenant_id', 't.id')
    .select(['t.id', 't.name', 't.slug', 'h.requests_per_minute', 'h.until', 'h.reason', 'h.created_at'])
    .where(sql<boolean>`t.id = any(${ids}::uuid[])`)
    .execute()
