import { type Ctx, notFound, page } from '#kernel'
import { countOpenSessions, findLockedUntil } from '../../auth/index.ts'
import { listAssignmentsAmong, listMembershipsOf } from '../../members/index.ts'
import { isOwner } from '../../roles/index.ts'
import { presentUser, rolesOfOperator } from '../../users/index.ts'
import { byRows, type Filed } from '../list-file.ts'
import { usersExported } from './events.ts'
import { findPerson, listPeople, listPeopleAfter, type PersonRow } from './queries.ts'
import { type AdminUser, ListedUser, MOST_MEMBERSHIPS, type UserFilter, type UserMembership } from './schema.ts'

const NEWEST_FIRST = {
  by: [
    { column: 'u.created_at', as: 'created_at' },
    { column: 'u.id', as: 'id' },
  ],
} as const // the names are those of columns

/** All people that match, the newest first. */
export function peopleList({ q, status }: UserFilter): Filed<ListedUser> {
  const filter = { q, status }
  return byRows<PersonRow, ListedUser>({
    name: 'users',
    item: ListedUser,
    async page(ctx) {
      const { data, next_cursor } = await page(ctx, listPeople(ctx.tx, filter), NEWEST_FIRST)
      return { data: data.map((row) => presentListed(ctx, row)), next_cursor }
    },
    rowsAfter: ({ tx }, last, limit) => listPeopleAfter(tx, filter, last && [last.created_at, last.id], limit),
    present: presentListed,
    record: (ctx) =>
      ctx.emit(usersExported, { id: null, after: { q: q ?? null, status: status ?? null }, storeId: null }),
  })
}

/** A person with what they belong to and whether they get in. Called as the system role. Throws 404. */
export async function readPerson(ctx: Ctx, userId: string): Promise<AdminUser> {
  const row = await findPerson(ctx.tx, userId.toLowerCase())
  if (!row) throw notFound()
  const [{ memberships, membership_count }, open_sessions, locked_until] = await Promise.all([
    readMemberships(ctx, row.id),
    countOpenSessions(ctx.tx, row.id, ctx.clock.now()),
    findLockedUntil(ctx, row.email),
  ])
  return { ...presentListed(ctx, row), memberships, membership_count, open_sessions, locked_until }
}

async function readMemberships({ tx }: Ctx, userId: string) {
  const rows = await listMembershipsOf(tx, userId, MOST_MEMBERSHIPS)
  const ids = rows.map(({ tenant_id }) => tenant_id)
  const held = Map.groupBy(await listAssignmentsAmong(tx, ids, userId), ({ tenant_id }) => tenant_id)
  const memberships = rows.map(({ tenant_id, name, slug, tenant_status, status, joined_at }): UserMembership => {
    const roles = (held.get(tenant_id) ?? []).map(({ role_id, name, store_id }) => ({ role_id, name, store_id }))
    const tenant = { id: tenant_id, name, slug, status: tenant_status }
    return { tenant, status, roles, is_owner: isOwner(roles), joined_at }
  })
  return { memberships, membership_count: rows[0]?.total ?? 0 }
}

function presentListed(ctx: Pick<Ctx, 'config'>, row: PersonRow): ListedUser {
  return { ...presentUser(ctx, row, row.last_login_at), operator_roles: rolesOfOperator(row) }
}
