import { type Ctx, pickFields } from '#kernel'
import { Invitation } from './schema.ts'
import type { InvitationRow } from './table.ts'

/** An invitation as it stands on the wire. */
export function presentInvitation({ clock }: Ctx, row: InvitationRow): Invitation {
  return pickFields(Invitation, { ...row, status: row.expires_at > clock.now() ? 'open' : 'expired' })
}
