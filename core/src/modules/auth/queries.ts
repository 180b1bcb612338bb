import { type Insertable, prepared, sql, type Tx } from '#kernel'
import { normalizeEmail, type UserRow } from '../users/index.ts'
import type { TokenPurpose, UserPasswordTable, UserTokenRow, UserTokenTable } from './table.ts'

/** A person with what a sign-in needs to know of them, in one look-up. */
export interface Account {
  user: UserRow
  /** Null: invited, not registered yet. */
  passwordHash: string | null
  /** The tenant last used, if they still belong to it: records about their account are kept there. */
  homeTenantId: string | null
  /** Null: they have never signed in. */
  lastLoginAt: string | null
  /** When they last signed in from the device that was asked about; null: they never have. */
  deviceSeenAt: string | null
}

/**
 * The account of an e-mail address in any spelling, with the last sign-in from a device. Takes the same work whether or
 * not the account exists.
 */
export async function findAccountByEmail(tx: Tx, email: string, fingerprint = ''): Promise<Account | undefined> {
  return accountOf(await selectByEmail(tx, normalizeEmail(email) ?? '', fingerprint))
}

/** Which of these people have a password. */
export async function listWithPassword(tx: Tx, userIds: readonly string[]): Promise<ReadonlySet<string>> {
  const rows = await tx
    .selectFrom('user_passwords')
    .select('user_id')
    .where(sql<boolean>`user_id = any(${userIds}::uuid[])`)
    .execute()
  return new Set(rows.map(({ user_id }) => user_id))
}

/** Removes refresh tokens for a tenant, so many at most. */
export async function deleteTokensFor(tx: Tx, tenantId: string, most: number): Promise<number> {
  const some = tx.selectFrom('refresh_tokens').select('id').where('scope_tenant_id', '=', tenantId).limit(most)
  const { numDeletedRows } = await tx.deleteFrom('refresh_tokens').where('id', 'in', some).executeTakeFirstOrThrow()
  return Number(numDeletedRows)
}

/** The account of a person, and what it knows of a device. */
export async function findAccountById(tx: Tx, userId: string, fingerprint = ''): Promise<Account | undefined> {
  return accountOf(await selectById(tx, userId, fingerprint))
}

/** The account of a person who has a password, which is locked until the transaction ends. */
export async function lockAccountById(tx: Tx, userId: string, fingerprint = ''): Promise<Account | undefined> {
  return accountOf(await selectLocked(tx, userId, fingerprint))
}

/** The same, locked against whoever else wants to replace the password or proves it. */
export async function lockAccountToRehash(tx: Tx, userId: string, fingerprint = ''): Promise<Account | undefined> {
  return accountOf(await selectLockedToRehash(tx, userId, fingerprint))
}

const selectByEmail = prepared((tx: Tx, email: string, fingerprint: string) =>
  selectAccount(tx, fingerprint).where('users.email_normalized', '=', email),
)
const selectById = prepared((tx: Tx, userId: string, fingerprint: string) =>
  selectAccount(tx, fingerprint).where('users.id', '=', userId),
)

const selectLocked = prepared((tx: Tx, userId: string, fingerprint: string) =>
  selectWithPassword(tx, userId, fingerprint).forShare('user_passwords'),
)

// A lock that is shared by two could be raised by neither.
const selectLockedToRehash = prepared((tx: Tx, userId: string, fingerprint: string) =>
  selectWithPassword(tx, userId, fingerprint).forUpdate('user_passwords'),
)

// An optional row cannot be locked.
const selectWithPassword = (tx: Tx, userId: string, fingerprint: string) =>
  selectPerson(tx, fingerprint)
    .innerJoin('user_passwords', 'user_passwords.user_id', 'users.id')
    .select('user_passwords.hash')
    .where('users.id', '=', userId)

const selectAccount = (tx: Tx, fingerprint: string) =>
  selectPerson(tx, fingerprint)
    .leftJoin('user_passwords', 'user_passwords.user_id', 'users.id')
    .select('user_passwords.hash')

const selectPerson = (tx: Tx, fingerprint: string) =>
  tx
    .selectFrom('users')
    .leftJoin('user_logins', 'user_logins.user_id', 'users.id')
    .leftJoin('user_tenants', (join) =>
      join
        .onRef('user_tenants.user_id', '=', 'users.id')
        .onRef('user_tenants.tenant_id', '=', 'user_logins.last_tenant_id'),
    )
    .leftJoin('known_devices', (join) =>
      join.onRef('known_devices.user_id', '=', 'users.id').on('known_devices.fingerprint', '=', fingerprint),
    )
    .selectAll('users')
    .select(['user_tenants.tenant_id as home_tenant_id', 'user_logins.last_login_at', 'known_devices.last_seen_at'])

type FoundAccount = UserRow & Record<'hash' | 'home_tenant_id' | 'last_login_at' | 'last_seen_at', string | null>

function accountOf([row]: FoundAccount[]): Account | undefined {
  if (!row) return undefined
  const { hash, home_tenant_id, last_login_at, last_seen_at, ...user } = row
  return {
    user,
    passwordHash: hash,
    homeTenantId: home_tenant_id,
    lastLoginAt: last_login_at,
    deviceSeenAt: last_seen_at,
  }
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
  return (await selectLockedPassword(tx, userId))[0]?.hash
}

const selectLockedPassword = prepared((tx: Tx, userId: string) =>
  tx.selectFrom('user_passwords').select('hash').where('user_id', '=', userId).forShare(),
)

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
