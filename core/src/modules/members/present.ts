import { type Ctx, notFound } from '#kernel'
import { isOwner, listAssignments } from '../roles/index.ts'
import { listLogins, selectMembers } from './queries.ts'
import type { HeldRole, Member } from './schema.ts'
import type { MemberRow } from './table.ts'
import { membersOfStores } from './visible-members.ts'

/** A member as stored, with what their account says of them. */
export type MemberProfile = MemberRow & { email: string; avatar_url: string | null }

/** The member of the current tenant as the tenant knows them, whoever asks. Throws 404. */
export async function getMember(ctx: Ctx, userId: string): Promise<Member> {
  const rows = await selectMember(ctx, userId).execute()
  return first(await presentMembers(ctx, rows, null))
}

/** As `getMember`, for whoever the route's stores let see them: anybody else is a 404. */
export async function getVisibleMember(ctx: Ctx, userId: string): Promise<Member> {
  const rows = await ctx.narrow(selectMember(ctx, userId)).execute()
  return first(await presentMembers(ctx, rows, ctx.stores))
}

/** As `getMember`, for somebody who sees the people of these stores (null: all): anybody else is a 404. */
export async function getMemberAmong(ctx: Ctx, userId: string, stores: readonly string[] | null): Promise<Member> {
  const query = selectMember(ctx, userId)
  const rows = await (stores ? query.where(membersOfStores(stores)) : query).execute()
  return first(await presentMembers(ctx, rows, stores))
}

const selectMember = (ctx: Ctx, userId: string) =>
  selectMembers(ctx.tx, ctx.tenantId, {}, null).where('members.id', '=', userId)

function first([member]: Member[]): Member {
  if (!member) throw notFound()
  return member
}

/** Members as they stand on the wire, for somebody who sees `stores` (null: all); roles in other stores are left out. */
export async function presentMembers(
  ctx: Ctx,
  rows: MemberProfile[],
  stores: readonly string[] | null,
): Promise<Member[]> {
  const ids = rows.map(({ id }) => id)
  if (ids.length === 0) return []
  const [assignments, logins] = await Promise.all([listAssignments(ctx.tx, ctx.tenantId, ids), listLogins(ctx.tx, ids)])
  const lastLogin = new Map(logins.map(({ user_id, last_login_at }) => [user_id, last_login_at]))
  return rows.map((row) =>
    presentMember(row, {
      roles: presentRoles(
        assignments.filter(({ user_id }) => user_id === row.id),
        stores,
      ),
      lastLoginAt: lastLogin.get(row.id) ?? null,
    }),
  )
}

/** Roles as they stand on the wire; those in stores out of sight are left out. */
export const presentRoles = (held: HeldRole[], stores: readonly string[] | null): HeldRole[] =>
  held
    .filter(({ store_id }) => store_id === null || stores === null || stores.includes(store_id))
    .map(({ role_id, name, store_id }) => ({ role_id, name, store_id }))

/** The same member for somebody who sees less. */
export const narrowRoles = (member: Member, stores: readonly string[] | null): Member => ({
  ...member,
  roles: presentRoles(member.roles, stores),
})

function presentMember(row: MemberProfile, { roles, lastLoginAt }: { roles: HeldRole[]; lastLoginAt: string | null }) {
  // Until they accept, a tenant learns nothing from the account: not even whether it is used.
  const hasJoined = row.status !== 'invited'
  return {
    id: row.id,
    tenant_id: row.tenant_id,
    email: row.email,
    name: row.name,
    phone: row.phone,
    job_title: row.job_title,
    avatar_url: hasJoined ? row.avatar_url : null,
    status: row.status,
    is_owner: isOwner(roles),
    roles,
    last_login_at: hasJoined ? lastLoginAt : null,
    joined_at: row.joined_at,
    created_at: row.created_at,
    updated_at: row.updated_at,
  }
}
