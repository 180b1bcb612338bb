import { type Ctx, recipientOf } from '#kernel'
import { findRole, getSystemRole, isOwner } from '../roles/index.ts'
import { getTenant } from '../tenants/index.ts'
import { findUser, type UserRow } from '../users/index.ts'
import { invitationsWithdrawnMail, newOwnerMail } from './mails.ts'
import { findMember, listActiveHolders } from './queries.ts'
import type { InvitationRow, InvitedRole } from './table.ts'

/** An invitation that was taken back, or that gives less than before. */
export interface Withdrawn {
  invitation: InvitationRow
  isRevoked: boolean
}

/** Invitations that one mail lists; of more it says the number. */
const MOST_LISTED = 10

/** Mails each sender once about their invitations that were withdrawn or narrowed; senders who have left get none. */
export async function notifySenders(ctx: Ctx, withdrawn: readonly Withdrawn[]): Promise<void> {
  const bySender = Map.groupBy(withdrawn, ({ invitation }) => invitation.invited_by)
  for (const [senderId, all] of bySender) {
    const sender = senderId === null ? undefined : await findActive(ctx, senderId)
    if (!sender) continue
    const invitations = all.slice(0, MOST_LISTED).map(({ invitation: { email }, isRevoked }) => ({ email, isRevoked }))
    const tenant = await getTenant(ctx.tx, ctx.tenantId)
    await ctx.mail(invitationsWithdrawnMail, {
      ...recipientOf(sender),
      data: {
        name: sender.name,
        tenantName: tenant.name,
        invitations,
        more: all.length - invitations.length,
        at: ctx.clock.now(),
      },
    })
  }
}

/** Mails all owners except the acting one when somebody is made an owner or invited to be one. */
export async function notifyOwners(
  ctx: Ctx,
  { email, roles, isInvited }: { email: string; roles: readonly InvitedRole[]; isInvited: boolean },
): Promise<void> {
  const held = await Promise.all(
    roles.map(async ({ role_id, store_id }) => ({
      name: (await findRole(ctx.tx, ctx.tenantId, role_id))?.name ?? '',
      store_id,
    })),
  )
  if (!isOwner(held)) return
  const [tenant, role] = await Promise.all([
    getTenant(ctx.tx, ctx.tenantId),
    getSystemRole(ctx.tx, ctx.tenantId, 'owner'),
  ])
  for (const { id } of await listActiveHolders(ctx.tx, ctx.tenantId, role.id)) {
    const owner = id === ctx.actor.id ? undefined : await findUser(ctx.tx, id)
    if (!owner || owner.email === email) continue
    const data = { name: owner.name, byName: ctx.actor.label, tenantName: tenant.name, email, isInvited }
    await ctx.mail(newOwnerMail, { ...recipientOf(owner), data: { ...data, at: ctx.clock.now() } })
  }
}

async function findActive(ctx: Ctx, userId: string): Promise<UserRow | undefined> {
  const member = await findMember(ctx.tx, ctx.tenantId, userId)
  return member?.status === 'active' ? findUser(ctx.tx, userId) : undefined
}
