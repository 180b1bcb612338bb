import { type Insertable, prepared, preparedRow, sql, type Tx } from '#kernel'
import type { RefreshTokenRow, RefreshTokenTable, SessionRow, SessionTable } from '../table.ts'

export const insertSession = preparedRow<Insertable<SessionTable>, unknown>(
  [
    'id',
    'user_id',
    'created_at',
    'last_active_at',
    'expires_at',
    'revoked_at',
    'ip_address',
    'user_agent',
    'device',
    'in_cookie',
  ],
  (tx, session) => tx.insertInto('sessions').values(session),
)

export const findSession = (tx: Tx, id: string): Promise<SessionRow | undefined> =>
  tx.selectFrom('sessions').selectAll().where('id', '=', id).executeTakeFirst()

/** How many sessions of a person can be used. */
export const countOpenSessions = async (tx: Tx, userId: string, now: string): Promise<number> =>
  (
    await tx
      .selectFrom('sessions')
      .select(sql<number>`count(*)`.as('open'))
      .where('user_id', '=', userId)
      .where('revoked_at', 'is', null)
      .where('expires_at', '>', now)
      .executeTakeFirstOrThrow()
  ).open

/** Records that a session was used; its end only moves later. */
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

/** False when the session was revoked already. */
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

/** A session with its person: one look-up for the authenticator. */
export const findSessionWithUser = (tx: Tx, id: string) =>
  tx
    .selectFrom('sessions')
    .innerJoin('users', 'users.id', 'sessions.user_id')
    .select(['sessions.user_id', 'sessions.created_at', 'sessions.revoked_at', 'sessions.expires_at'])
    .select('sessions.operator_id')
    .select(['users.name', 'users.status', 'users.is_super_admin', 'users.operator_roles'])
    .where('sessions.id', '=', id)
    .executeTakeFirst()

/** The membership and the status of its tenant: one look-up for the authenticator. */
export const findMembership = (tx: Tx, tenantId: string, userId: string) =>
  tx
    .selectFrom('tenants')
    .leftJoin('members', (join) => join.onRef('members.tenant_id', '=', 'tenants.id').on('members.id', '=', userId))
    .select(['tenants.status as tenant_status', 'members.status as member_status'])
    .where('tenants.id', '=', tenantId)
    .executeTakeFirst()

/** A tenant with its settings for sessions and the person's membership: one look-up for admission. */
export async function findTenantOfMember(tx: Tx, tenantId: string, userId: string) {
  return (await selectTenantOfMember(tx, tenantId, userId))[0]
}

const selectTenantOfMember = prepared((tx: Tx, tenantId: string, userId: string) =>
  tx
    .selectFrom('tenants')
    .leftJoin('members', (join) => join.onRef('members.tenant_id', '=', 'tenants.id').on('members.id', '=', userId))
    .selectAll('tenants')
    .select('members.status as member_status')
    .where('tenants.id', '=', tenantId),
)

export const insertRefreshToken = preparedRow<Insertable<RefreshTokenTable>, unknown>(
  [
    'id',
    'session_id',
    'user_id',
    'scope_tenant_id',
    'lineage_id',
    'generation',
    'token_hash',
    'created_at',
    'expires_at',
    'used_at',
    'successor_sealed',
  ],
  (tx, token) => tx.insertInto('refresh_tokens').values(token),
)

/** A refresh token with fields of its session. */
export type FoundToken = RefreshTokenRow & { in_cookie: boolean; revoked_at: string | null }

export const findRefreshToken = (tx: Tx, hash: Buffer): Promise<FoundToken | undefined> =>
  tx
    .selectFrom('refresh_tokens')
    .innerJoin('sessions', 'sessions.id', 'refresh_tokens.session_id')
    .selectAll('refresh_tokens')
    .select(['sessions.in_cookie', 'sessions.revoked_at'])
    .where('refresh_tokens.token_hash', '=', hash)
    .executeTakeFirst()

/** A token of the session in the tenant; undefined when the session was not used there recently. */
export const findTokenIn = (tx: Tx, sessionId: string, tenantId: string): Promise<{ id: string } | undefined> =>
  tx
    .selectFrom('refresh_tokens')
    .select('id')
    .where('session_id', '=', sessionId)
    .where('scope_tenant_id', '=', tenantId)
    .limit(1)
    .executeTakeFirst()

/** Marks a valid refresh token as used and stores its successor; undefined when it is not valid. */
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

/** Records a device; true when the person has not signed in from it before. */
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

/** Deletes sessions and tokens that have been unusable since `before`. */
export async function deleteDead(tx: Tx, before: string): Promise<void> {
  await tx
    .deleteFrom('refresh_tokens')
    .where((eb) => eb.or([eb('expires_at', '<', before), eb('used_at', '<', before)]))
    .execute()
  await tx.deleteFrom('user_tokens').where('expires_at', '<', before).execute()
  await tx.deleteFrom('sessions').where('expires_at', '<', before).execute()
  await tx.deleteFrom('signing_keys').where('retire_at', '<', before).execute()
}

/** Deletes devices not used since `before`: the next sign-in from one is reported as new. */
export const deleteKnownDevices = (tx: Tx, before: string): Promise<unknown> =>
  tx.deleteFrom('known_devices').where('last_seen_at', '<', before).execute()
