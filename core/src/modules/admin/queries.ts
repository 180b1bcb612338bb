import { containing, isUuid, sql, type Tx } from '#kernel'
import type { TenantFilter } from './schema.ts'

// Everything here reads across tenants: for the system role.

const select = (tx: Tx) =>
  tx
    .selectFrom('tenants as t')
    .innerJoin('users as u', 'u.id', 't.owner_id')
    .leftJoin('subscriptions as s', 's.tenant_id', 't.id')
    .leftJoin('plans as p', 'p.id', 's.plan_id')
    .select(['t.id', 't.name', 't.slug', 't.status', 't.owner_id', 't.branding', 't.logo_id', 't.created_at'])
    .select(['t.updated_at', 't.suspended_at', 't.suspended_reason', 'u.email as owner_email'])
    .select(['s.status as subscription_status', 's.trial_ends_at'])
    .select(['p.id as plan_id', 'p.code as plan_code', 'p.name as plan_name'])

export type AdminTenantRow = NonNullable<Awaited<ReturnType<typeof findAdminTenant>>>

export const findAdminTenant = (tx: Tx, id: string) => select(tx).where('t.id', '=', id).executeTakeFirst()

/** Those that match a filter, unordered and unbounded, for `page`. */
export function listAdminTenants(tx: Tx, { q, status, plan_id }: TenantFilter) {
  let query = select(tx)
  if (status) query = query.where('t.status', '=', sql.lit(status))
  if (plan_id) query = query.where('s.plan_id', '=', plan_id.toLowerCase())
  if (q === undefined) return query
  return query.where(sql<string>`concat_ws(' ', t.name, t.slug, u.email)`, 'ilike', containing(q))
}

/** The same in batches: the newest first, after the one with these values of `created_at` and `id`. */
export function listAdminTenantsAfter(tx: Tx, filter: TenantFilter, after: readonly string[] | null, limit: number) {
  const query = listAdminTenants(tx, filter)
  const begun = after ? query.where(sql<boolean>`(t.created_at, t.id) < (${sql.join(after)})`) : query
  return begun.orderBy('t.created_at', 'desc').orderBy('t.id', 'desc').limit(limit).execute()
}

/** As much of a tenant as tells which one it is. */
export type NamedTenant = Awaited<ReturnType<typeof listTenantsNamed>>[number]

/** The tenants with that id or slug: two where one's slug, older than the rule for slugs, is the id of another. */
export function listTenantsNamed(tx: Tx, text: string) {
  const name = text.toLowerCase()
  const query = tx.selectFrom('tenants').select(['id', 'slug', 'name', 'status'])
  if (!isUuid(name)) return query.where('slug', '=', name).execute()
  return query.where((eb) => eb.or([eb('id', '=', name), eb('slug', '=', name)])).execute()
}

const total = sql<number>`count(*)`

export const countTenantsByStatus = (tx: Tx) =>
  tx
    .selectFrom('tenants')
    .select(['status', total.as('count')])
    .groupBy('status')
    .execute()

export const countUsers = async (tx: Tx): Promise<number> =>
  (await tx.selectFrom('users').select(total.as('count')).executeTakeFirstOrThrow()).count

/** Tenants that were founded since then, by day in UTC; days without one are left out. */
export const countFoundedByDay = (tx: Tx, since: string) =>
  tx
    .selectFrom('tenants')
    .select([sql<string>`to_char(created_at at time zone 'UTC', 'YYYY-MM-DD')`.as('date'), total.as('count')])
    .where('created_at', '>=', since)
    .groupBy('date')
    .execute()

/** The prices of a month of all subscriptions that are paid for, or still may be, by currency. */
export const listMonthlyRevenue = (tx: Tx) =>
  tx
    .selectFrom('subscriptions as s')
    .innerJoin('tenants as t', 't.id', 's.tenant_id')
    .innerJoin('plans as p', 'p.id', 's.plan_id')
    .select('p.currency')
    .select(
      sql<number>`round(sum(p.price_cents::numeric / case p.interval when 'year' then 12 else 1 end))::bigint`.as(
        'cents',
      ),
    )
    .where(sql<boolean>`s.status in ('active', 'past_due')`)
    .where('t.status', '!=', sql.lit('deleted'))
    .where('p.price_cents', '>', 0)
    .groupBy('p.currency')
    .orderBy('p.currency')
    .execute()

/** How much of these limits all tenants hold. */
export const countHeld = async (tx: Tx, limits: readonly string[]): Promise<number> =>
  (
    await tx
      .selectFrom('limit_usage')
      .select(sql<number>`coalesce(sum(used), 0)::bigint`.as('held'))
      .where(sql<boolean>`limit_name = any(${limits}::text[])`)
      .executeTakeFirstOrThrow()
  ).held

/** Jobs that were given up, of tenants and of none. */
export const countFailedJobs = async (tx: Tx): Promise<number> => {
  const [own, system] = await Promise.all(
    (['tenant_jobs', 'system_jobs'] as const).map(
      (
        table, // both have a status
      ) =>
        tx
          .selectFrom(table)
          .select(total.as('count'))
          .where('status', '=', sql.lit('failed'))
          .executeTakeFirstOrThrow(),
    ),
  )
  return (own?.count ?? 0) + (system?.count ?? 0)
}
