import { sql, type Tx } from '#kernel'

interface Span {
  from: string
  before: string
}

interface Change {
  tenant_id: string
  id: string
  created_at: string
  action: string
  actor_type: 'user' | 'api_key' | 'system' | 'admin'
  actor_id: string | null
  resource_type: string
  resource_id: string | null
}

/**
 * The newest records of these tenants that a person made, or that are about them: of each tenant no more than are shown in all,
 * read off the index. Across tenants: for the system role.
 */
export async function listChangesOf(
  tx: Tx,
  tenantIds: readonly string[],
  { userId, from, before, limit }: Span & { userId: string; limit: number },
): Promise<Change[]> {
  const of = (
    mine: ReturnType<typeof sql>,
  ) => sql`select * from unnest(${tenantIds}::uuid[]) as t (id_of_tenant) cross join lateral
    (select tenant_id, id, created_at, action, actor_type, actor_id, resource_type, resource_id from audit_logs
      where tenant_id = t.id_of_tenant and ${mine} and id >= ${from}::uuid and id < ${before}::uuid
      order by id desc limit ${limit}) as r`
  // Both in one: a record that is both comes once.
  const query = sql<Change>`select distinct on (id) tenant_id, id, created_at, action, actor_type, actor_id, resource_type, resource_id
    from (${of(sql`resource_id = ${userId}`)} union all ${of(sql`actor_id = ${userId}::uuid`)}) as found order by id desc limit ${limit}`
  return (await query.execute(tx)).rows
}
