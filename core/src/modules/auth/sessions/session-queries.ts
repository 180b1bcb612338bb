import { type Insertable, sql, type Tx } from '#kernel'
import type { RefreshTokenRow, RefreshTokenTable, SessionRow, SessionTable } from '../table.ts'

export const insertSession = (tx: Tx, session: Insertable<SessionTable>): Promise<SessionRow> =>
  tx.insertInto('sessions').values(session).returningAll().executeTakeFirstOrThrow()

export const findSession = (tx: Tx, id: string): Promise<SessionRow | undefined> =>
  tx.selectFrom('sessions').selectAll().where('id', '=', id).executeTakeFirst()

/** Notes that a session was used; its end only moves away. */
export const updateSessionUsed = (
  tx: Tx,
  id: string,
  used: Pick<SessionRow, 'last_active_at' | 'expires_at'>,
): Promise<unknown> =>
  tx
    .updateTable('sessions')
    .set({ last_active_at: used.last_active_at, expires_at: sql`greatest(expires_at, ${used.expires_at})` })
    .where('id', '=', id)
    .execute()

/** False when the session was revoked before. */
export async function updateSessionRevoked(tx: Tx, id: string, now: string): Promise<boolean> {
  const row = await tx
    .updateTable('sessions')
    .set({ revoked_at: now })
    .where('id', '=', id)
    .where('revoked_at', 'is', null)
    .returning('id')
    .executeTakeFirst()
  return row !== undefined
}

/** Revokes every session of a person, but for `exceptId`. */
export const updateSessionsRevoked = (
  tx: Tx,
  userId: string,
  now: string,
  exceptId: string | null,
): Promise<unknown> => {
  const revoking = tx
    .updateTable('sessions')
    .set({ revoked_at: now })
    .where('user_id', '=', userId)
    .where('revoked_at', 'is', null)
  return (exceptId === null ? revoking : revoking.where('id', '!=', exceptId)).execute()
}

/** What a session is worth, with its person: one look-up for the authenticator. */
export const findSessionWithUser = (tx: Tx, id: string) =>
  tx
    .selectFrom('sessions')
    .innerJoin('users', 'users.id', 'sessions.user_id')
    .select(['sessions.user_id', 'sessions.created_at', 'sessions.revoked_at', 'sessions.expires_at'])
    .select(['users.name', 'users.status', 'users.is_super_admin'])
    .where('sessions.id', '=', id)
    .executeTakeFirst()

/** Where a member stands in a tenant: one look-up for the authenticator. */
export const findMembership = (tx: Tx, tenantId: string, userId: string) =>
  tx
    .selectFrom('tenants')
    .leftJoin('members', (join) => join.onRef('members.tenant_id', '=', 'tenants.id').on('members.id', '=', userId))
    .select(['tenants.status as tenant_status', 'members.status as member_status'])
    .where('tenants.id', '=', tenantId)
    .executeTakeFirst()

/** A tenant with what it says of sessions, and what the person is in it: one look-up for whoever wants to enter. */
export const findTenantOfMember = (tx: Tx, tenantId: string, userId: string) =>
  tx
    .selectFrom('tenants')
    .leftJoin('members', (join) => join.onRef('members.tenant_id', '=', 'tenants.id').on('members.id', '=', userId))
    .selectAll('tenants')
    .select('members.status as member_status')
    .where('tenants.id', '=', tenantId)
    .executeTakeFirst()

export const insertRefreshToken = (tx: Tx, token: Insertable<RefreshTokenTable>): Promise<unknown> =>
  tx.insertInto('refresh_tokens').values(token).execute()

/** A refresh token with what its session says of it. */
export type FoundToken = RefreshTokenRow & { in_cookie: boolean; revoked_at: string | null }

export const findRefreshToken = (tx: Tx, hash: Buffer): Promise<FoundToken | undefined> =>
  tx
    .selectFrom('refresh_tokens')
    .innerJoin('sessions', 'sessions.id', 'refresh_tokens.session_id')
    .selectAll('refresh_tokens')
    .select(['sessions.in_cookie', 'sessions.revoked_at'])
    .where('refresh_tokens.token_hash', '=', hash)
    .executeTakeFirst()

/** A token of the session in the tenant; undefined when it has not been there lately. */
export const findTokenIn = (tx: Tx, sessionId: string, tenantId: string): Promise<{ id: string } | undefined> =>
  tx
    .selectFrom('refresh_tokens')
    .select('id')
    .where('session_id', '=', sessionId)
    .where('scope_tenant_id', '=', tenantId)
    .limit(1)
    .executeTakeFirst()

/** Spends a refresh token that is alive, leaving its successor for whoever presents it again; undefined otherwise. */
export const updateRefreshTokenUsed = (
  tx: Tx,
  id: string,
  used: { used_at: string; successor_sealed: string },
): Promise<RefreshTokenRow | undefined> =>
  tx
    .updateTable('refresh_tokens')
    .set(used)
    .where('id', '=', id)
    .where('used_at', 'is', null)
    .where('expires_at', '>', used.used_at)
    .returningAll()
    .executeTakeFirst()

/** True when this is the first time that the person is seen on the device. */
export async function upsertKnownDevice(tx: Tx, userId: string, fingerprint: string, now: string): Promise<boolean> {
  const inserted = await tx
    .insertInto('known_devices')
    .values({ user_id: userId, fingerprint, first_seen_at: now, last_seen_at: now })
    .onConflict((conflict) => conflict.columns(['user_id', 'fingerprint']).doNothing())
    .returning('user_id')
    .executeTakeFirst()
  if (inserted) return true
  await tx
    .updateTable('known_devices')
    .set({ last_seen_at: now })
    .where('user_id', '=', userId)
    .where('fingerprint', '=', fingerprint)
    .execute()
  return false
}

/** What nobody can use any more, older than `before`. */
export async function deleteDead(tx: Tx, before: string): Promise<void> {
  await tx
    .deleteFrom('refresh_tokens')
    .where((eb) => eb.or([eb('expires_at', '<', before), eb('used_at', '<', before)]))
    .execute()
  await tx.deleteFrom('user_tokens').where('expires_at', '<', before).execute()
  await tx.deleteFrom('sessions').where('expires_at', '<', before).execute()
  await tx.deleteFrom('signing_keys').where('retire_at', '<', before).execute()
}

/** Devices that a person has not signed in from since `before`: the next sign-in from there is news again. */
export const deleteKnownDevices = (tx: Tx, before: string): Promise<unknown> =>
  tx.deleteFrom('known_devices').where('last_seen_at', '<', before).execute()
