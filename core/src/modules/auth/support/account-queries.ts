import { sql, type Tx } from '#kernel'

/** A person as those see them who answer for the installation; undefined for no such person. */
export const findSupported = (tx: Tx, userId: string) =>
  tx
    .selectFrom('users as u')
    .leftJoin('user_passwords as p', 'p.user_id', 'u.id')
    .leftJoin('user_logins as l', 'l.user_id', 'u.id')
    .select(['u.id', 'u.name', 'u.status', 'u.email_verified_at', 'u.two_factor_enabled', 'u.created_at'])
    .select(['u.updated_at', 'l.last_login_at', sql<boolean>`p.user_id is not null`.as('has_password')])
    .where('u.id', '=', userId)
    .executeTakeFirst()

/** Somebody who has one of these addresses. */
export const findWithOneOf = (tx: Tx, addresses: readonly string[]): Promise<{ id: string } | undefined> =>
  tx
    .selectFrom('users')
    .select('id')
    .where(sql<boolean>`email_normalized = any(${addresses}::text[])`)
    .limit(1)
    .executeTakeFirst()

/** Somebody who has an address with that part before the @. */
export const findWithLocalPart = (tx: Tx, local: string): Promise<{ id: string } | undefined> =>
  tx
    .selectFrom('users')
    .select('id')
    // A comes right after @. By bytes, so that the index tells.
    .where(
      sql<boolean>`email_normalized collate "C" >= ${`${local}@`} and email_normalized collate "C" < ${`${local}A`}`,
    )
    .limit(1)
    .executeTakeFirst()

/** When a person last signed in, proved their address, and chose a password; undefined for no such person. */
export const findLastProofs = (tx: Tx, userId: string) =>
  tx
    .selectFrom('users as u')
    .leftJoin('user_passwords as p', 'p.user_id', 'u.id')
    .leftJoin('user_logins as l', 'l.user_id', 'u.id')
    .select(['l.last_login_at', 'u.email_verified_at', 'p.changed_at'])
    .where('u.id', '=', userId)
    .executeTakeFirst()
