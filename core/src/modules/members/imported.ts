import {
  type Ctx,
  type ImportedTenant,
  type ImportRule,
  LEAST_ID,
  momentAfter,
  newId,
  type RestoreRule,
  randomToken,
  SECONDS,
  sha256,
  stamp,
  Type,
} from '#kernel'
import { assignRole, getSystemRole, listAllRoles, listAssignments } from '../roles/index.ts'
import { addUserTenant, getUser } from '../users/index.ts'
import {
  deleteAllAssignments,
  deleteInvitationsOf,
  deleteStrayAssignments,
  deleteStrayMemberships,
  insertInvitations,
  insertMissingMemberships,
  listInvitedAfter,
  listOpenInvitations,
  listPromised,
  updateSeatsOfInvited,
} from './imported-queries.ts'
import { resendInvitation } from './invite.ts'
import { insertInvitationRoles, insertMember, lockMember, updateMember } from './queries.ts'
import { Invitation, MemberPatch } from './schema.ts'
import type { InvitationTable, InvitedRole } from './table.ts'

const { name, phone, job_title } = MemberPatch.properties
const PEOPLE_AT_ONCE = 500

/**
 * Whoever is a member in an export is invited here: what they hold, they are promised, and get once they accept. Who was disabled there has
 * an invitation that has run out, and whoever has no account here stays outside.
 */
export const importedMembers: ImportRule = {
  columns: { name, phone, job_title },
  anew({ clock, hasAccount }, { id, status, seat_ends_at }) {
    if (!hasAccount(String(id))) return { status: 'disabled', seat_ends_at: null }
    const ran = status === 'disabled' ? clock.now() : status === 'invited' ? seat_ends_at : null
    return { status: 'invited', seat_ends_at: ran }
  },
  completed: inviteImported,
}

/** Of an invitation that was open it is known what it promises. It goes, and comes anew with its link. */
export const importedInvitations: ImportRule = {
  columns: { name, roles: Type.Array(Invitation.properties.roles.items, { maxItems: 50 }) },
  anew: (_tools, { accepted_at }) =>
    accepted_at === null
      ? { token_hash: `\\x${newHash().toString('hex')}`, sender_type: 'system', invited_by: null }
      : null,
}

/** Of a token that nobody has. */
const newHash = () => sha256(randomToken())

async function inviteImported(ctx: Ctx, tenant: ImportedTenant): Promise<void> {
  const { tx, tenantId } = ctx
  await ensureMember(ctx, tenant.ownerId)
  const owner = await getSystemRole(tx, tenantId, 'owner')
  const known = new Set((await listAllRoles(tx, tenantId)).map(({ id }) => id))
  let demoted = 0
  for (let after = LEAST_ID; ; ) {
    const people = await listInvitedAfter(tx, tenantId, after, PEOPLE_AT_ONCE)
    const ids = people.map(({ id }) => id)
    const promised = await listPromises(ctx, ids)
    const rows = people.map((person) => {
      const wanted = (promised.get(person.id) ?? []).filter(({ role_id }) => known.has(role_id))
      const others = wanted.filter(({ role_id }) => role_id !== owner.id)
      const isOwner = person.id === tenant.ownerId
      if (!isOwner && others.length < wanted.length) demoted++
      return newInvitation(ctx, person, isOwner ? [...others, { role_id: owner.id, store_id: null }] : others)
    })
    await replaceInvitations(ctx, ids, rows)
    after = ids.at(-1) ?? after
    if (ids.length < PEOPLE_AT_ONCE) break
  }
  await deleteAllAssignments(tx, tenantId)
  await updateSeatsOfInvited(tx, tenantId)
  if (tenant.isOwnerActive) await letIn(ctx, tenant.ownerId, owner.id)
  if (demoted > 0)
    tenant.note(`${demoted} more owned it, and are invited without that: whoever owns it here makes others owners`)
  if (!ctx.config.mail.off) await mailInvitations(ctx, tenant)
}

/** Whoever is named as the owner may be none of its people. */
async function ensureMember(ctx: Ctx, userId: string): Promise<void> {
  if (await lockMember(ctx.tx, ctx.tenantId, userId)) return
  const { name } = await getUser(ctx.tx, userId)
  const base = stamp(ctx)
  const row = {
    ...base,
    id: userId,
    name,
    phone: null,
    job_title: null,
    joined_at: base.created_at,
    seat_ends_at: null,
  }
  await insertMember(ctx.tx, { ...row, status: 'invited' })
}

/** What these people held or were promised, each role in each place once. */
async function listPromises({ tx, tenantId }: Ctx, ids: string[]): Promise<Map<string, InvitedRole[]>> {
  const held = await listAssignments(tx, tenantId, ids)
  const promised = await listPromised(tx, tenantId, ids)
  const all = [...held, ...promised.flatMap(({ user_id, roles }) => roles.map((role) => ({ user_id, ...role })))]
  const promises = new Map<string, InvitedRole[]>()
  for (const [id, roles] of Map.groupBy(all, ({ user_id }) => user_id)) {
    const each = new Map(roles.map(({ role_id, store_id }) => [`${role_id} ${store_id}`, { role_id, store_id }]))
    promises.set(id, [...each.values()])
  }
  return promises
}

interface Invitee {
  id: string
  name: string
  email: string
  seat_ends_at: string | null
}

function newInvitation(ctx: Ctx, { id, name, email, seat_ends_at }: Invitee, roles: InvitedRole[]) {
  const base = stamp(ctx)
  const now = base.created_at
  const ends = momentAfter(now, ctx.config.tokens.invitationTtlSeconds * SECONDS)
  // One that has run out stays so.
  const expires_at = seat_ends_at !== null && seat_ends_at <= now ? seat_ends_at : ends
  const nobody = { accepted_at: null, invited_by: null, sender_type: 'system' as const } // a word
  return { ...base, user_id: id, email, name, roles, token_hash: newHash(), expires_at, sent_at: now, ...nobody }
}

async function replaceInvitations(
  { tx, tenantId }: Ctx,
  userIds: readonly string[],
  rows: readonly InvitationTable[],
): Promise<void> {
  if (rows.length === 0) return
  await deleteInvitationsOf(tx, tenantId, userIds)
  await insertInvitations(tx, rows)
  const named = rows.flatMap(({ id: invitation_id, roles }) =>
    [...new Set(roles.map(({ role_id }) => role_id))].map((role_id) => ({
      tenant_id: tenantId,
      id: newId(),
      invitation_id,
      role_id,
    })),
  )
  if (named.length > 0) await insertInvitationRoles(tx, named)
}

async function letIn(ctx: Ctx, userId: string, ownerRoleId: string): Promise<void> {
  const now = ctx.clock.now()
  await deleteInvitationsOf(ctx.tx, ctx.tenantId, [userId])
  await updateMember(ctx.tx, ctx.tenantId, userId, {
    status: 'active',
    joined_at: now,
    updated_at: now,
    seat_ends_at: null,
  })
  await assignRole(ctx, { userId, roleId: ownerRoleId, storeId: null }, { preauthorized: true })
  await addUserTenant(ctx, userId, ctx.tenantId)
  await ctx.forget({ userId })
}

async function mailInvitations(ctx: Ctx, { ownerId, invitesAll, isOwnerActive }: ImportedTenant): Promise<void> {
  for (const { id, user_id } of await listOpenInvitations(ctx.tx, ctx.tenantId, ctx.clock.now()))
    if (invitesAll || (user_id === ownerId && !isOwnerActive)) await resendInvitation(ctx, id)
}

/** Who is disabled, or has accepted, since is so; who has come since stays. The directory of everybody's tenants follows. */
export const restoredMembers: RestoreRule = {
  keepsExtra: true,
  keeps: ['status', 'seat_ends_at', 'joined_at'],
  async completed(ctx) {
    await insertMissingMemberships(ctx.tx, ctx.tenantId)
    await deleteStrayMemberships(ctx.tx, ctx.tenantId)
    // Else they would hold it once somebody invites them again.
    await deleteStrayAssignments(ctx.tx, ctx.tenantId)
  },
}

/** An open invitation comes back with a link that nobody has: it is sent again. */
export const restoredInvitations: RestoreRule = {
  isMissingOnly: true,
  keepsExtra: true,
  missing: async (_ctx, rows) => rows.map(() => ({ token_hash: `\\x${newHash().toString('hex')}` })),
}
