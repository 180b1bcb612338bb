import { type Ctx, notFound, pickFields } from '#kernel'
import { pictureUrl } from '../pictures/index.ts'
import { isOwner, listAssignments } from '../roles/index.ts'
import { selectMembers } from './queries.ts'
import { type HeldRole, Member } from './schema.ts'
import type { MemberRow } from './table.ts'
import { membersOfStores } from './visible-members.ts'

/** A member with fields of their account. */
export type MemberProfile = MemberRow & { email: string; avatar_id: string | null; last_login_at: string | null }

/** The member as any caller of the tenant may see them. Throws 404. */
export async function getMember(ctx: Ctx, userId: string): Promise<Member> {
  const rows = await selectMember(ctx, userId).execute()
  return first(await presentMembers(ctx, rows, null))
}

/** As `getMember`, limited to members visible by the stores of the route; others are a 404. */
export async function getVisibleMember(ctx: Ctx, userId: string): Promise<Member> {
  const rows = await ctx.narrow(selectMember(ctx, userId)).execute()
  return first(await presentMembers(ctx, rows, ctx.stores))
}

/** As `getMember`, limited to members with roles in these stores (null: all); others are a 404. */
export async function getMemberAmong(ctx: Ctx, userId: string, stores: readonly string[] | null): Promise<Member> {
  const query = selectMember(ctx, userId)
  const rows = await (stores ? query.where(membersOfStores(stores)) : query).execute()
  return first(await presentMembers(ctx, rows, stores))
}

const selectMember = (ctx: Ctx, userId: string) =>
  selectMembers(ctx.tx, ctx.tenantId, {}).where('members.id', '=', userId)

function first([member]: Member[]): Member {
  if (!member) throw notFound()
  return member
}

/** Members as they stand on the wire for a caller who sees `stores` (null: all); roles in other stores are left out. */
export async function presentMembers(
  ctx: Ctx,
  rows: MemberProfile[],
  stores: readonly string[] | null,
): Promise<Member[]> {
  const ids = rows.map(({ id }) => id)
  if (ids.length === 0) return []
  const assignments = await listAssignments(ctx.tx, ctx.tenantId, ids)
  return rows.map((row) => {
    const held = assignments.filter(({ user_id }) => user_id === row.id)
    return presentMember(ctx, row, presentRoles(held, stores))
  })
}

/** Roles as they stand on the wire, without those in stores that the caller cannot see. */
export const presentRoles = (held: HeldRole[], stores: readonly string[] | null): HeldRole[] =>
  held
    .filter(({ store_id }) => store_id === null || stores === null || stores.includes(store_id))
    .map(({ role_id, name, store_id }) => ({ role_id, name, store_id }))

/** The same member without roles in stores that the caller cannot see. */
export const narrowRoles = (member: Member, stores: readonly string[] | null): Member => ({
  ...member,
  roles: presentRoles(member.roles, stores),
})

function presentMember(ctx: Ctx, row: MemberProfile, roles: HeldRole[]) {
  // Until the person accepts, the tenant learns nothing about their account, not even whether it is used.
  const hasJoined = row.status !== 'invited'
  return pickFields(Member, {
    ...row,
    avatar_url: hasJoined ? pictureUrl(ctx, row.avatar_id) : null,
    is_owner: isOwner(roles),
    roles,
    last_login_at: hasJoined ? row.last_login_at : null,
  })
}
