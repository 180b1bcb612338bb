import {
  type Insertable,
  json,
  normalizeEmail,
  notFound,
  prepared,
  preparedRow,
  sql,
  type Tx,
  type Updateable,
} from '#kernel'
import type { UserLoginRow, UserRow, UserSettingsRow, UserTable, UserTenantRow } from './table.ts'

/** The person with that id, or undefined. */
export const findUser = (tx: Tx, id: string): Promise<UserRow | undefined> =>
  tx.selectFrom('users').selectAll().where('id', '=', id).executeTakeFirst()

/** The person with that id; throws 404. */
export async function getUser(tx: Tx, id: string): Promise<UserRow> {
  const user = await findUser(tx, id)
  if (!user) throw notFound()
  return user
}

const selectWithLogin = prepared((tx: Tx, id: string) =>
  tx
    .selectFrom('users')
    .leftJoin('user_logins', 'user_logins.user_id', 'users.id')
    .selectAll('users')
    .select('user_logins.last_login_at')
    .where('users.id', '=', id),
)

/** The person with that id and when they last signed in; throws 404. */
export async function getUserWithLogin(tx: Tx, id: string): Promise<UserRow & { last_login_at: string | null }> {
  const [user] = await selectWithLogin(tx, id)
  if (!user) throw notFound()
  return user
}

/** The person with that address in whatever spelling; undefined when there is none or it is not a valid address. */
export async function findUserByEmail(tx: Tx, email: string): Promise<UserRow | undefined> {
  const normalized = normalizeEmail(email)
  if (normalized === null) return undefined
  return tx.selectFrom('users').selectAll().where('email_normalized', '=', normalized).executeTakeFirst()
}

/** The people with these addresses, which are normalised already; unordered. */
export const listUsersByEmail = (tx: Tx, emails: readonly string[]): Promise<UserRow[]> =>
  tx.selectFrom('users').selectAll().where(sql<boolean>`email_normalized = any(${emails}::text[])`).execute()

/** The person, locked until the transaction ends; throws 404. */
export async function lockUser(tx: Tx, id: string): Promise<UserRow> {
  const user = await lockUserIfThere(tx, id)
  if (!user) throw notFound()
  return user
}

/** The same for an id that may be nobody's. */
export const lockUserIfThere = (tx: Tx, id: string): Promise<UserRow | undefined> =>
  tx.selectFrom('users').selectAll().where('id', '=', id).forUpdate().executeTakeFirst()

/** Undefined when the address is taken: unlike a unique violation this leaves the transaction usable. */
export const insertUser = (tx: Tx, user: Insertable<UserTable>): Promise<UserRow | undefined> =>
  tx
    .insertInto('users')
    .values(user)
    .onConflict((conflict) => conflict.column('email_normalized').doNothing())
    .returningAll()
    .executeTakeFirst()

export const updateUser = (tx: Tx, id: string, patch: Updateable<UserTable>): Promise<UserRow> =>
  tx.updateTable('users').set(patch).where('id', '=', id).returningAll().executeTakeFirstOrThrow()

/** Those who run the installation, unordered and unbounded, for `page`. */
export const listOperators = (tx: Tx) =>
  tx.selectFrom('users').selectAll().where(sql<boolean>`(is_super_admin or operator_roles <> '{}')`)

/** The super admins whose accounts are not disabled, locked in the order of their ids until the transaction ends. */
export const lockSuperAdmins = (tx: Tx): Promise<Pick<UserRow, 'id' | 'email_verified_at'>[]> =>
  tx
    .selectFrom('users')
    .select(['id', 'email_verified_at'])
    .where(sql<boolean>`(is_super_admin or operator_roles <> '{}')`)
    .where('is_super_admin', '=', true)
    .where('status', '=', 'active')
    .orderBy('id')
    .forUpdate()
    .execute()

/** When and where the person last signed in; undefined before the first time. */
export const findLogin = (tx: Tx, userId: string): Promise<UserLoginRow | undefined> =>
  tx.selectFrom('user_logins').selectAll().where('user_id', '=', userId).executeTakeFirst()

/** Keeps the tenant last used when this sign-in is into none. */
export const upsertLogin = preparedRow<UserLoginRow, unknown>(
  ['user_id', 'last_login_at', 'last_tenant_id'],
  (tx, login) =>
    tx
      .insertInto('user_logins')
      .values(login)
      .onConflict((conflict) =>
        conflict.column('user_id').doUpdateSet((eb) => ({
          last_login_at: eb.ref('excluded.last_login_at'),
          last_tenant_id: eb.fn.coalesce('excluded.last_tenant_id', 'user_logins.last_tenant_id'),
        })),
      ),
)

/** What a person has set; undefined: nothing. */
export const findUserSettings = (tx: Tx, userId: string): Promise<UserSettingsRow | undefined> =>
  tx.selectFrom('user_settings').selectAll().where('user_id', '=', userId).executeTakeFirst()

/** The settings of a member of the tenant; undefined for a person of another tenant or an unknown one. */
export const findMemberSettings = (
  tx: Tx,
  tenantId: string,
  userId: string,
): Promise<Pick<UserSettingsRow, 'settings'> | { settings: null } | undefined> =>
  tx
    .selectFrom('user_tenants')
    .leftJoin('user_settings', 'user_settings.user_id', 'user_tenants.user_id')
    .select('user_settings.settings')
    .where('user_tenants.user_id', '=', userId)
    .where('user_tenants.tenant_id', '=', tenantId)
    .executeTakeFirst()

export const upsertUserSettings = (tx: Tx, row: UserSettingsRow): Promise<unknown> =>
  tx
    .insertInto('user_settings')
    .values({ ...row, settings: json(row.settings) })
    .onConflict((same) =>
      same.column('user_id').doUpdateSet((eb) => ({
        settings: eb.ref('excluded.settings'),
        updated_at: eb.ref('excluded.updated_at'),
      })),
    )
    .execute()

/** The tenants that a person belongs to, oldest membership first. */
export const listUserTenants = (tx: Tx, userId: string): Promise<UserTenantRow[]> =>
  tx
    .selectFrom('user_tenants')
    .selectAll()
    .where('user_id', '=', userId)
    .orderBy('joined_at')
    .orderBy('tenant_id')
    .execute()

/** The same, one page: memberships after the one with these values of `joined_at` and `tenant_id`. */
export function listUserTenantsAfter(
  tx: Tx,
  userId: string,
  after: readonly string[] | null,
  limit: number,
): Promise<UserTenantRow[]> {
  let query = tx.selectFrom('user_tenants').selectAll().where('user_id', '=', userId)
  if (after) query = query.where(sql<boolean>`(joined_at, tenant_id) > (${sql.join(after)})`)
  return query.orderBy('joined_at').orderBy('tenant_id').limit(limit).execute()
}

export const insertUserTenant = (tx: Tx, row: UserTenantRow): Promise<unknown> =>
  tx
    .insertInto('user_tenants')
    .values(row)
    .onConflict((conflict) => conflict.doNothing())
    .execute()

export const deleteUserTenant = (tx: Tx, userId: string, tenantId: string): Promise<unknown> =>
  tx.deleteFrom('user_tenants').where('user_id', '=', userId).where('tenant_id', '=', tenantId).execute()
