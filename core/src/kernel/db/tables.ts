import type { Generated, Kysely } from 'kysely'

/** What every tenant-owned row has; modules' row types extend it. */
export interface TenantRow {
  tenant_id: string
  id: string
  created_at: string
  updated_at: string
}

/** The database type: modules add their tables with `declare module '#kernel' { interface Tables { … } }`. */
export interface Tables extends KernelTables {}

export interface KernelTables {
  audit_logs: AuditLogTable
  global_audit_logs: Omit<AuditLogTable, 'tenant_id'>
  tenant_jobs: JobTable & { tenant_id: string }
  system_jobs: JobTable
  idempotency_keys: IdempotencyKeyTable & { tenant_id: string }
  global_idempotency_keys: IdempotencyKeyTable
  events: EventTable
  event_heads: { tenant_id: string; position: number }
  inbound_messages: InboundMessageTable & { tenant_id: string }
  global_inbound_messages: InboundMessageTable
  resting_tenants: { tenant_id: string; since: string }
}

/** An event that goes out to others. */
export interface EventTable {
  tenant_id: string
  /** That of the record in `audit_logs`. */
  id: string
  /** 1, 2, 3 … in the order of commits in the tenant. */
  position: number
  type: string
  created_at: string
  store_id: string | null
  actor_type: AuditLogTable['actor_type']
  actor_id: string | null
  actor_label: string
  impersonator_id: string | null
  data: unknown
}

export interface AuditLogTable {
  tenant_id: string
  id: string
  created_at: string
  action: string
  actor_type: 'user' | 'api_key' | 'system' | 'admin'
  actor_id: string | null
  actor_label: string
  impersonator_id: string | null
  resource_type: string
  resource_id: string | null
  resource_label: string | null
  store_id: string | null
  old_values: unknown
  new_values: unknown
  ip_address: string | null
  user_agent: string | null
  request_id: string | null
}

/** The columns of a record except its tenant, which records outside of tenants do not have. */
export const AUDIT_COLUMNS = [
  'id',
  'created_at',
  'action',
  'actor_type',
  'actor_id',
  'actor_label',
  'impersonator_id',
  'resource_type',
  'resource_id',
  'resource_label',
  'store_id',
  'old_values',
  'new_values',
  'ip_address',
  'user_agent',
  'request_id',
] as const satisfies readonly (keyof AuditLogTable)[] // the literal names type the row

export interface JobTable {
  id: string
  task: string
  payload: unknown
  origin: unknown
  dedupe_key: string | null
  status: Generated<'waiting' | 'failed'>
  attempts: Generated<number>
  max_attempts: number
  run_at: string
  /** Waits for other people's servers, in places of its own. */
  outbound: Generated<boolean>
  locked_until: string | null
  locked_by: string | null
  last_error: string | null
  created_at: string
}

export interface IdempotencyKeyTable {
  id: string
  created_at: string
  request_hash: string
  claim: string
  claimed_until: string | null
  status: number | null
  answer: string | null
}

/** A message of another server that has come in, by the id that its sender gives it. */
export interface InboundMessageTable {
  source: string
  message_id: string
  received_at: string
  body_hash: Buffer
}

declare const inTransaction: unique symbol

/**
 * A database handle inside an open transaction, scoped to the tenant of its context. Queries take it first; nothing
 * outside a transaction has this type, so a query cannot be sent without one.
 */
export type Tx = Kysely<Tables> & { readonly [inTransaction]: true }
