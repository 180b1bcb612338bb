import type { Selectable, TenantRow } from '#kernel'

/** One person inside one tenant; `id` is the person's own id. */
export interface MemberTable extends TenantRow {
  name: string
  phone: string | null
  job_title: string | null
  status: 'active' | 'disabled' | 'invited'
  /** For an invited person, when they were invited first. */
  joined_at: string
}

/** An invitation until it is accepted; it goes when the member row does. */
export interface InvitationTable extends TenantRow {
  user_id: string
  email: string
  name: string
  roles: InvitedRole[]
  /** SHA-256 of the token in the latest mail. */
  token_hash: Buffer
  expires_at: string
  sent_at: string
  accepted_at: string | null
  invited_by: string | null
}

/** A role that an invitation gives once it is accepted. */
export interface InvitedRole {
  role_id: string
  store_id: string | null
}

declare module '#kernel' {
  interface Tables {
    members: MemberTable
    invitations: InvitationTable
  }
}

/** A member as stored. */
export type MemberRow = Selectable<MemberTable>

/** An invitation as stored. */
export type InvitationRow = Selectable<InvitationTable>
