import { type SweepPage, sql, type Tx } from '#kernel'

/** Across tenants, by their ids: those whose subscription the clock has something to do to. */
export async function listDue(
  tx: Tx,
  { now, after, limit }: SweepPage & { now: string },
): Promise<{ tenant_id: string }[]> {
  const query = tx
    .selectFrom('subscriptions')
    .select('tenant_id')
    .where('next_change_at', '<=', now)
    .orderBy('tenant_id')
    .limit(limit)
  return (after === null ? query : query.where('tenant_id', '>', after)).execute()
}

/** Across tenants, by their ids: those that have no subscription, of all or of those founded since then. */
export async function listTenantsWithout(
  tx: Tx,
  { since, after, limit }: SweepPage & { since: string | null },
): Promise<{ tenant_id: string }[]> {
  const query = tx
    .selectFrom('tenants as t')
    .leftJoin('subscriptions as s', 's.tenant_id', 't.id')
    .select('t.id as tenant_id')
    .where('s.tenant_id', 'is', null)
    .orderBy('t.id')
    .limit(limit)
  const recent = since === null ? query : query.where('t.id', '>', sql<string>`tenantry.uuid_at(${since})`)
  return (after === null ? recent : recent.where('t.id', '>', after)).execute()
}
