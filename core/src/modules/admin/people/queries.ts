import { containing, sql, type Tx } from '#kernel'
import type { UserFilter } from './schema.ts'

// Everything here reads across tenants: for the system role.

const select = (tx: Tx) =>
  tx.selectFrom('users as u').leftJoin('user_logins as l', 'l.user_id', 'u.id').selectAll('u').select('l.last_login_at')

export type PersonRow = NonNullable<Awaited<ReturnType<typeof findPerson>>>

export const findPerson = (tx: Tx, id: string) => select(tx).where('u.id', '=', id).executeTakeFirst()

/** Those that match a filter, unordered and unbounded, for `page`. */
export function listPeople(tx: Tx, { q, status }: UserFilter) {
  const query = status ? select(tx).where('u.status', '=', status) : select(tx)
  if (q === undefined) return query
  return query.where(({ eb, or }) =>
    or([eb('u.name', 'ilike', containing(q)), eb('u.email_normalized', 'like', containing(q.toLowerCase()))]),
  )
}

/** The same in batches: the newest first, after the one with these values of `created_at` and `id`. */
export function listPeopleAfter(tx: Tx, filter: UserFilter, after: readonly string[] | null, limit: number) {
  const query = listPeople(tx, filter)
  const begun = after ? query.where(sql<boolean>`(u.created_at, u.id) < (${sql.join(after)})`) : query
  return begun.orderBy('u.created_at', 'desc').orderBy('u.id', 'desc').limit(limit).execute()
}
