import { type Ctx, consume, type Founder, isAhead, notFound, requireWritable, stamp } from '#kernel'
import { assignRole } from '../roles/index.ts'
import { getTenant, tenantSuspended } from '../tenants/index.ts'
import { addUserTenant, getUser, type UserRow } from '../users/index.ts'
import { alreadyMember, invalidToken, tokenExpired } from './errors.ts'
import { userCreated, userJoined } from './events.ts'
import { checkRoles, listValidRoles } from './invitation-roles.ts'
import { notifyOwners, notifySenders } from './notify.ts'
import { getMember } from './present.ts'
import { deleteInvitationRoles, insertMember, lockMember, updateInvitationAccepted, updateMember } from './queries.ts'
import type { Member, WantedRole } from './schema.ts'
import type { InvitationRow, InvitedRole } from './table.ts'
import { narrowInvitation } from './withdraw-invitation.ts'

/** A person with an account who becomes a member at once. */
export interface NewMember {
  user: UserRow
  name: string
  phone?: string | null
  job_title?: string | null
  /** Default: `viewer`, when the caller may give it. */
  roles?: WantedRole[]
}

/**
 * Makes the owner of a new account a member, with roles that the caller may give. Throws 409 `already_member`, and for
 * the roles as `requireMayGrant` does.
 */
export async function createMember(ctx: Ctx, input: NewMember): Promise<Member> {
  const roles = await checkRoles(ctx, input.roles)
  const base = stamp(ctx)
  const row = await insertMember(ctx.tx, {
    ...base,
    id: input.user.id,
    name: input.name,
    phone: input.phone ?? null,
    job_title: input.job_title ?? null,
    status: 'active',
    joined_at: base.created_at,
    seat_ends_at: null,
  })
  if (!row) throw alreadyMember()
  await enter(ctx, row.id, roles)
  await notifyOwners(ctx, { email: input.user.email, roles, isInvited: false })
  const member = await getMember(ctx, row.id)
  await ctx.emit(userCreated, { after: member })
  return member
}

/**
 * Accepts an invitation, in a transaction of its tenant; of simultaneous attempts one succeeds. It gives the roles that
 * the sender may still give. The person becomes an active member under their current name; `user.joined` is recorded
 * for the actor of `ctx`, which should be the person. Throws 400 `invalid_token` when the invitation was used, revoked
 * or sent again since it was read, or gives nothing any more, `token_expired` after its expiry, 403 `tenant_suspended`,
 * 402 when the tenant's subscription has ended or its plan is full.
 */
export async function useInvitation(ctx: Ctx, invitation: InvitationRow): Promise<Member> {
  const now = ctx.clock.now()
  if ((await getTenant(ctx.tx, ctx.tenantId)).status !== 'active') throw tenantSuspended()
  await requireWritable(ctx, 'users')
  const accepted = await updateInvitationAccepted(ctx.tx, invitation, now)
  if (!accepted) throw invalidToken()
  requireInTime(ctx, accepted)
  const roles = await listValidRoles(ctx, accepted)
  if (!roles) throw invalidToken()
  if (roles.length < accepted.roles.length) {
    await narrowInvitation(ctx, accepted, roles)
    await notifySenders(ctx, [{ invitation: accepted, isRevoked: false }])
  }
  await deleteInvitationRoles(ctx.tx, ctx.tenantId, accepted.id)
  const userId = accepted.user_id
  if (!(await lockMember(ctx.tx, ctx.tenantId, userId))) throw notFound()
  const { name } = await getUser(ctx.tx, userId)
  const member = { status: 'active' as const, name, joined_at: now, updated_at: now, seat_ends_at: null } // a status
  await updateMember(ctx.tx, ctx.tenantId, userId, member)
  await enter(ctx, userId, roles)
  // The invitation already counted towards the plan, so this checks the limit without adding to it.
  await consume(ctx, 'users', 0)
  const joined = await getMember(ctx, userId)
  await ctx.emit(userJoined, { after: joined })
  return joined
}

/** Throws 400 `token_expired` when the invitation has expired, or was sent by a clock that was ahead. */
export function requireInTime({ clock }: Ctx, { expires_at, sent_at }: Pick<InvitationRow, 'expires_at' | 'sent_at'>) {
  if (expires_at <= clock.now() || isAhead(clock, sent_at)) throw tokenExpired()
}

/** The founder of a tenant is its first member. */
export async function addFounder(ctx: Ctx, { userId, name }: Founder): Promise<void> {
  const row = { ...stamp(ctx), id: userId, name, phone: null, job_title: null }
  await insertMember(ctx.tx, { ...row, status: 'active', joined_at: row.created_at, seat_ends_at: null })
  await addUserTenant(ctx, userId, ctx.tenantId)
  await ctx.forget({ userId })
}

async function enter(ctx: Ctx, userId: string, roles: InvitedRole[]): Promise<void> {
  for (const { role_id, store_id } of roles) {
    await assignRole(ctx, { userId, roleId: role_id, storeId: store_id }, { preauthorized: true })
  }
  await addUserTenant(ctx, userId, ctx.tenantId)
  await ctx.forget({ userId })
}
