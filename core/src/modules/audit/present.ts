import type { AuditRow } from './queries.ts'
import type { AuditLog } from './schema.ts'

/** A record as it stands on the wire. */
export function presentRecord(row: AuditRow): AuditLog {
  const isPerson = row.actor_type === 'user' || row.actor_type === 'admin'
  return {
    id: row.id,
    created_at: row.created_at,
    tenant_id: row.tenant_id,
    user_id: isPerson ? row.actor_id : null,
    actor: { type: row.actor_type, id: row.actor_id, label: row.actor_label, impersonator_id: row.impersonator_id },
    action: row.action,
    resource_type: row.resource_type,
    resource_id: row.resource_id,
    store_id: row.store_id,
    old_values: row.old_values as AuditLog['old_values'], // an object of fields, or null: emitted as such
    new_values: row.new_values as AuditLog['new_values'], // as above
    ip_address: row.ip_address,
    user_agent: row.user_agent,
    request_id: row.request_id,
    resource_label: row.resource_label,
  }
}
