import type { Ctx } from '#kernel'
import type { Invitation } from './schema.ts'
import type { InvitationRow } from './table.ts'

/** An invitation as it stands on the wire. */
export function presentInvitation({ clock }: Ctx, row: InvitationRow): Invitation {
  return {
    id: row.id,
    tenant_id: row.tenant_id,
    user_id: row.user_id,
    email: row.email,
    name: row.name,
    status: row.expires_at > clock.now() ? 'open' : 'expired',
    roles: row.roles,
    invited_by: row.invited_by,
    sent_at: row.sent_at,
    expires_at: row.expires_at,
    created_at: row.created_at,
    updated_at: row.updated_at,
  }
}
