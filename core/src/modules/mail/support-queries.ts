import type { Tx } from '#kernel'

// Across tenants: for the system role.

const columns = ['id', 'kind', 'status', 'reason', 'attempts', 'server_reply', 'sent_at', 'next_attempt_at'] as const // names type the row

/** The mails of tenants that went to an address: of all of them, or of one. */
export const listMailsTo = (tx: Tx, address: string, tenantId: string | null, limit: number) => {
  const all = tx
    .selectFrom('mails')
    .select([...columns, 'tenant_id', 'created_at'])
    .where('address', '=', address)
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
  return (tenantId === null ? all : all.where('tenant_id', '=', tenantId)).execute()
}

/** The mails without a tenant that went to an address. */
export const listGlobalMailsTo = (tx: Tx, address: string, limit: number) =>
  tx
    .selectFrom('global_mails')
    .select([...columns, 'created_at'])
    .where('address', '=', address)
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
    .execute()

/** On which tenants' lists an address stands: of all of them, or of one. */
export const listSuppressionsOf = (tx: Tx, address: string, tenantId: string | null, limit: number) => {
  const all = tx
    .selectFrom('mail_suppressions')
    .select(['tenant_id', 'reason', 'server_reply', 'updated_at'])
    .where('email', '=', address)
    .orderBy('updated_at', 'desc')
    .limit(limit)
  return (tenantId === null ? all : all.where('tenant_id', '=', tenantId)).execute()
}
