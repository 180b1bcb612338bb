import type { Actor, Selectable, TenantRow } from '#kernel'

/** One person inside one tenant; `id` is the person's own id. */
export interface MemberTable extends TenantRow {
  name: string
  phone: string | null
  job_title: string | null
  status: 'active' | 'disabled' | 'invited'
  /** For an invited person, when they were invited first. */
  joined_at: string
  /** Until when the row counts towards the plan: for an invited person the end of the invitation; null: always. */
  seat_ends_at: string | null
}

/** An invitation; deleted with its member row. */
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
  /**
   * The kind of actor that sent it last. For kinds other than people and the system it is unknown what they may give.
   */
  sender_type: Actor['type']
}

/** A role named by an open invitation; it cannot be deleted meanwhile. */
export interface InvitationRoleTable {
  tenant_id: string
  id: string
  invitation_id: string
  role_id: string
}

/** A role that an invitation gives once it is accepted. */
export interface InvitedRole {
  role_id: string
  store_id: string | null
}

/** A membership that has ended. Global, since it is asked for by person. */
export interface MemberDepartureTable {
  user_id: string
  tenant_id: string
  left_at: string
}

declare module '#kernel' {
  interface Tables {
    members: MemberTable
    invitations: InvitationTable
    invitation_roles: InvitationRoleTable
    member_departures: MemberDepartureTable
  }
}

/** A member as stored. */
export type MemberRow = Selectable<MemberTable>

/** An invitation as stored. */
export type InvitationRow = Selectable<InvitationTable>
