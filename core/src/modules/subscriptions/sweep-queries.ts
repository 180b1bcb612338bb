import { sql, type Tx } from '#kernel'

/** A subscription that the clock has something to do to. */
export interface Due {
  tenant_id: string
  next_change_at: string
}

/** Across tenants: those whose subscription the clock has something to do to, in order, after one of them. */
export async function listDue(
  tx: Tx,
  { now, after, limit }: { now: string; after: Due | null; limit: number },
): Promise<Due[]> {
  const query = tx
    .selectFrom('subscriptions')
    .select(['tenant_id', 'next_change_at'])
    .where('next_change_at', '<=', now)
    .orderBy('next_change_at')
    .orderBy('tenant_id')
    .limit(limit)
    .$narrowType<{ next_change_at: string }>()
  if (!after) return query.execute()
  return query
    .where(sql<boolean>`(next_change_at, tenant_id) > (${after.next_change_at}, ${after.tenant_id})`)
    .execute()
}

/** Across tenants: those founded since then, by a process that knew nothing of subscriptions, which have none. */
export async function listTenantsWithout(tx: Tx, since: string, limit: number): Promise<string[]> {
  const rows = await tx
    .selectFrom('tenants as t')
    .leftJoin('subscriptions as s', 's.tenant_id', 't.id')
    .select('t.id')
    .where('t.id', '>', sql<string>`tenantry.uuid_at(${since})`)
    .where('s.tenant_id', 'is', null)
    .limit(limit)
    .execute()
  return rows.map(({ id }) => id)
}
