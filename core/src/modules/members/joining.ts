import { type Ctx, type Founder, notFound, stamp } from '#kernel'
import { assignRole } from '../roles/index.ts'
import { addUserTenant, getUser, type UserRow } from '../users/index.ts'
import { alreadyMember, invalidToken, tokenExpired } from './errors.ts'
import { userCreated, userJoined } from './events.ts'
import { getMember } from './presenting.ts'
import { checkRoles } from './promising.ts'
import { insertMember, lockMember, updateInvitationAccepted, updateMember } from './queries.ts'
import type { Member, WantedRole } from './schema.ts'
import type { InvitationRow, InvitedRole } from './table.ts'

/** A person with an account of their own who becomes a member at once. */
export interface NewMember {
  user: UserRow
  name: string
  phone?: string | null
  job_title?: string | null
  /** Default: `viewer`, when the caller may give it. */
  roles?: WantedRole[]
}

/**
 * Makes somebody whose account was just made a member, with roles that the caller may give. Throws 409 `already_member`,
 * and for the roles as `requireMayGrant` does.
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
  })
  if (!row) throw alreadyMember()
  await enter(ctx, row.id, roles)
  const member = await getMember(ctx, row.id)
  await ctx.emit(userCreated, { after: member })
  return member
}

/**
 * Accepts an invitation, in a transaction scoped to its tenant: once, by whoever comes first. The person becomes an
 * active member under the name they have now and gets the roles that still exist; `user.joined` is recorded for the
 * actor of `ctx`, which ought to be the person. Throws 400 `invalid_token` when the invitation was spent, revoked or
 * sent anew since it was read, `token_expired` when it is too late.
 */
export async function useInvitation(ctx: Ctx, invitation: InvitationRow): Promise<Member> {
  const now = ctx.clock.now()
  const accepted = await updateInvitationAccepted(ctx.tx, invitation, now)
  if (!accepted) throw invalidToken()
  if (accepted.expires_at <= now) throw tokenExpired()
  const userId = accepted.user_id
  if (!(await lockMember(ctx.tx, ctx.tenantId, userId))) throw notFound()
  const { name } = await getUser(ctx.tx, userId)
  await updateMember(ctx.tx, ctx.tenantId, userId, { status: 'active', name, joined_at: now, updated_at: now })
  await enter(ctx, userId, accepted.roles)
  const member = await getMember(ctx, userId)
  await ctx.emit(userJoined, { after: member })
  return member
}

/** The founder of a tenant is its first member. */
export async function addFounder(ctx: Ctx, { userId, name }: Founder): Promise<void> {
  const row = { ...stamp(ctx), id: userId, name, phone: null, job_title: null }
  await insertMember(ctx.tx, { ...row, status: 'active', joined_at: row.created_at })
  await addUserTenant(ctx, userId, ctx.tenantId)
  await ctx.forget({ userId })
}

async function enter(ctx: Ctx, userId: string, roles: InvitedRole[]): Promise<void> {
  for (const { role_id, store_id } of roles) {
    await assignRole(ctx, { userId, roleId: role_id, storeId: store_id }, { promised: true })
  }
  await addUserTenant(ctx, userId, ctx.tenantId)
  await ctx.forget({ userId })
}
