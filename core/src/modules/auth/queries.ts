import type { Insertable, Tx } from '#kernel'
import { normalizeEmail, type UserRow } from '../users/index.ts'
import type { TokenPurpose, UserPasswordTable, UserTokenRow, UserTokenTable } from './table.ts'

/** A person with what a sign-in needs to know of them, in one look-up. */
export interface Account {
  user: UserRow
  /** Null: invited, not registered yet. */
  passwordHash: string | null
  /** The tenant last used, if they still belong to it: records about their account are kept there. */
  homeTenantId: string | null
}

/** The account of an e-mail address in any spelling. Takes the same work whether or not it exists. */
export const findAccountByEmail = (tx: Tx, email: string): Promise<Account | undefined> =>
  findAccount(tx, 'users.email_normalized', normalizeEmail(email) ?? '')

/** The account of a person. */
export const findAccountById = (tx: Tx, userId: string): Promise<Account | undefined> =>
  findAccount(tx, 'users.id', userId)

async function findAccount(
  tx: Tx,
  column: 'users.id' | 'users.email_normalized',
  value: string,
): Promise<Account | undefined> {
  const row = await tx
    .selectFrom('users')
    .leftJoin('user_passwords', 'user_passwords.user_id', 'users.id')
    .leftJoin('user_logins', 'user_logins.user_id', 'users.id')
    .leftJoin('user_tenants', (join) =>
      join
        .onRef('user_tenants.user_id', '=', 'users.id')
        .onRef('user_tenants.tenant_id', '=', 'user_logins.last_tenant_id'),
    )
    .selectAll('users')
    .select(['user_passwords.hash', 'user_tenants.tenant_id as home_tenant_id'])
    .where(column, '=', value)
    .executeTakeFirst()
  if (!row) return undefined
  const { hash, home_tenant_id, ...user } = row
  return { user, passwordHash: hash, homeTenantId: home_tenant_id }
}

/** False when the person has a password already. */
export async function insertPassword(tx: Tx, row: Insertable<UserPasswordTable>): Promise<boolean> {
  const inserted = await tx
    .insertInto('user_passwords')
    .values(row)
    .onConflict((conflict) => conflict.column('user_id').doNothing())
    .returning('user_id')
    .executeTakeFirst()
  return inserted !== undefined
}

export const upsertPassword = (tx: Tx, row: Insertable<UserPasswordTable>): Promise<unknown> =>
  tx
    .insertInto('user_passwords')
    .values(row)
    .onConflict((conflict) =>
      conflict.column('user_id').doUpdateSet((eb) => ({
        hash: eb.ref('excluded.hash'),
        changed_at: eb.ref('excluded.changed_at'),
      })),
    )
    .execute()

/** Replaces the password that has `oldHash`; false when it was replaced by somebody else meanwhile. */
export async function updatePassword(
  tx: Tx,
  userId: string,
  oldHash: string,
  set: { hash: string; changed_at?: string },
) {
  const updated = await tx
    .updateTable('user_passwords')
    .set(set)
    .where('user_id', '=', userId)
    .where('hash', '=', oldHash)
    .returning('user_id')
    .executeTakeFirst()
  return updated !== undefined
}

/** The person's password hash, locked until the transaction ends. */
export async function lockPassword(tx: Tx, userId: string): Promise<string | undefined> {
  const row = await tx
    .selectFrom('user_passwords')
    .select('hash')
    .where('user_id', '=', userId)
    .forShare()
    .executeTakeFirst()
  return row?.hash
}

export const insertUserToken = (tx: Tx, token: Insertable<UserTokenTable>): Promise<unknown> =>
  tx.insertInto('user_tokens').values(token).execute()

export const findUserToken = (tx: Tx, purpose: TokenPurpose, hash: Buffer): Promise<UserTokenRow | undefined> =>
  tx
    .selectFrom('user_tokens')
    .selectAll()
    .where('token_hash', '=', hash)
    .where('purpose', '=', purpose)
    .executeTakeFirst()

/** Marks a valid token as used; undefined when it was used before, has expired or never existed. */
export const updateUserTokenUsed = (
  tx: Tx,
  purpose: TokenPurpose,
  hash: Buffer,
  now: string,
): Promise<UserTokenRow | undefined> =>
  tx
    .updateTable('user_tokens')
    .set({ used_at: now })
    .where('token_hash', '=', hash)
    .where('purpose', '=', purpose)
    .where('used_at', 'is', null)
    .where('expires_at', '>', now)
    .returningAll()
    .executeTakeFirst()

/** Marks all of a person's tokens of one purpose as used. */
export const updateUserTokensUsed = (tx: Tx, purpose: TokenPurpose, userId: string, now: string): Promise<unknown> =>
  tx
    .updateTable('user_tokens')
    .set({ used_at: now })
    .where('user_id', '=', userId)
    .where('purpose', '=', purpose)
    .where('used_at', 'is', null)
    .execute()
