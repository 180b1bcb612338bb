import { containing, type Insertable, notFound, prepared, type SweepPage, sql, type Tx, type Updateable } from '#kernel'
import type { ApiKeyFilter } from './schema.ts'
import type { ApiKeyHashRow, ApiKeyRow, ApiKeyTable } from './table.ts'

const selectKeys = (tx: Tx, tenantId: string) => tx.selectFrom('api_keys').selectAll().where('tenant_id', '=', tenantId)

/** Unordered and unbounded, for `page`. */
export function listKeys(tx: Tx, tenantId: string, { q, status }: ApiKeyFilter, now: string) {
  let query = selectKeys(tx, tenantId)
  const ended = sql<boolean>`(revoked_at is not null or least(expires_at, overlap_ends_at) <= ${now})`
  if (status === 'ended') query = query.where(ended)
  if (status === 'active') query = query.where(sql<boolean>`${ended} is not true`)
  if (!q) return query
  const part = containing(q)
  return query.where(({ or, eb }) => or([eb('name', 'ilike', part), eb('key_prefix', 'ilike', part)]))
}

/** Throws 404. */
export const getKey = (tx: Tx, tenantId: string, id: string): Promise<ApiKeyRow> =>
  selectKeys(tx, tenantId)
    .where('id', '=', id)
    .executeTakeFirstOrThrow(() => notFound())

/** Undefined when there is no such key. */
export const findKey = (tx: Tx, tenantId: string, id: string): Promise<ApiKeyRow | undefined> =>
  selectKeys(tx, tenantId).where('id', '=', id).executeTakeFirst()

/** Locks the row until the transaction ends; undefined when there is none. */
export const lockKeyIfAny = (tx: Tx, tenantId: string, id: string): Promise<ApiKeyRow | undefined> =>
  selectKeys(tx, tenantId).where('id', '=', id).forNoKeyUpdate().executeTakeFirst()

/** The same; throws 404. */
export async function lockKey(tx: Tx, tenantId: string, id: string): Promise<ApiKeyRow> {
  const key = await lockKeyIfAny(tx, tenantId, id)
  if (!key) throw notFound()
  return key
}

/** The key that has replaced another, locked; undefined: none has. */
export const lockSuccessor = (tx: Tx, tenantId: string, id: string): Promise<ApiKeyRow | undefined> =>
  selectKeys(tx, tenantId).where('replaces_id', '=', id).forNoKeyUpdate().executeTakeFirst()

/** The keys that a person has made, which rest on their rights; locked, oldest first. */
export const lockLivingKeysOf = (tx: Tx, tenantId: string, userId: string): Promise<ApiKeyRow[]> =>
  selectKeys(tx, tenantId)
    .where('created_by', '=', userId)
    .where('frozen_rights', 'is', null)
    .orderBy('id')
    .forNoKeyUpdate()
    .execute()

export const insertKeys = (tx: Tx, keys: Insertable<ApiKeyTable>[]): Promise<ApiKeyRow[]> =>
  tx.insertInto('api_keys').values(keys.map(asStored)).returningAll().execute()

type KeyChange = Omit<Updateable<ApiKeyTable>, 'tenant_id' | 'id'>

export const updateKey = (
  tx: Tx,
  { tenant_id, id }: Pick<ApiKeyRow, 'tenant_id' | 'id'>,
  change: KeyChange,
): Promise<ApiKeyRow> =>
  tx
    .updateTable('api_keys')
    .set(asStored(change))
    .where('tenant_id', '=', tenant_id)
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow()

/** jsonb takes text: pg would turn a JavaScript array into a PostgreSQL one. */
function asStored<K extends KeyChange>(key: K): K {
  const { frozen_rights: rights } = key
  return rights ? { ...key, frozen_rights: JSON.stringify(rights) } : key
}

const selectStanding = prepared((tx: Tx, tenantId: string, id: string) =>
  tx
    .selectFrom('api_keys as k')
    .innerJoin('tenants as t', 't.id', 'k.tenant_id')
    .innerJoin('users as maker', 'maker.id', 'k.created_by')
    .select(['k.frozen_rights', 'maker.status as maker_status'])
    .select(['k.name', 'k.scopes', 'k.allowed_cidrs', 'k.rate_limit_per_minute'])
    .select(['k.expires_at', 'k.overlap_ends_at', 'k.revoked_at', 't.status as tenant_status'])
    .where('k.tenant_id', '=', tenantId)
    .where('k.id', '=', id),
)

/** What says whether a key is good, its tenant and its maker. */
export const findStanding = async (tx: Tx, tenantId: string, id: string) => (await selectStanding(tx, tenantId, id))[0]

const selectRights = prepared((tx: Tx, tenantId: string, id: string) =>
  tx
    .selectFrom('api_keys')
    .select(['tenant_id', 'scopes', 'store_ids', 'frozen_rights', 'created_by'])
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id),
)

export type RightsRow = Pick<ApiKeyRow, 'tenant_id' | 'scopes' | 'store_ids' | 'frozen_rights' | 'created_by'>

export const findRights = async (tx: Tx, tenantId: string, id: string): Promise<RightsRow | undefined> =>
  (await selectRights(tx, tenantId, id))[0]

/** Those of the ids that are active stores. */
export async function findActiveStores(tx: Tx, tenantId: string, ids: readonly string[]): Promise<string[]> {
  const rows = await tx
    .selectFrom('stores')
    .select('id')
    .where('tenant_id', '=', tenantId)
    .where(sql<boolean>`id = any(${ids}::uuid[])`)
    .where('status', '=', 'active')
    .execute()
  return rows.map(({ id }) => id)
}

const selectHash = prepared((tx: Tx, hash: Buffer) =>
  tx.selectFrom('api_key_hashes').selectAll().where('key_hash', '=', hash),
)

/** Whose a key is; undefined: nobody's. */
export const findHash = async (tx: Tx, hash: Buffer): Promise<ApiKeyHashRow | undefined> =>
  (await selectHash(tx, hash))[0]

/** Those of the hashes that somebody has. */
export const findHashes = (tx: Tx, hashes: readonly Buffer[]): Promise<ApiKeyHashRow[]> =>
  tx.selectFrom('api_key_hashes').selectAll().where(sql<boolean>`key_hash = any(${hashes}::bytea[])`).execute()

/** Gives the hashes that were taken in; those that somebody has already are left out. */
export const insertHashes = (tx: Tx, rows: ApiKeyHashRow[]): Promise<Pick<ApiKeyHashRow, 'key_hash'>[]> =>
  tx
    .insertInto('api_key_hashes')
    .values(rows)
    .onConflict((taken) => taken.column('key_hash').doNothing())
    .returning('key_hash')
    .execute()

/** Takes keys of a tenant out of the directory, so many at most. */
export async function deleteHashes(tx: Tx, tenantId: string, most: number): Promise<number> {
  const some = tx.selectFrom('api_key_hashes').select('key_hash').where('tenant_id', '=', tenantId).limit(most)
  const { numDeletedRows } = await tx
    .deleteFrom('api_key_hashes')
    .where('key_hash', 'in', some)
    .executeTakeFirstOrThrow()
  return Number(numDeletedRows)
}

/** The moments by which a key is spoken of. */
interface ReminderMoments {
  now: string
  week: string
  day: string
}

const isToBeReminded = ({ now, week, day }: ReminderMoments) =>
  sql<boolean>`revoked_at is null and overlap_ends_at is null and expires_at > ${now}
    and ((expires_at <= ${week} and reminded_days is null) or (expires_at <= ${day} and reminded_days is distinct from 1))`

/** Across tenants, by their ids: those with a key that is to be spoken of. */
export async function listTenantsWithReminders(
  tx: Tx,
  { after, limit, ...moments }: SweepPage & ReminderMoments,
): Promise<Pick<ApiKeyRow, 'tenant_id'>[]> {
  const query = tx
    .selectFrom('api_keys')
    .select('tenant_id')
    .distinct()
    .where(isToBeReminded(moments))
    .orderBy('tenant_id')
    .limit(limit)
  return (after === null ? query : query.where('tenant_id', '>', after)).execute()
}

/** Marks the tenant's keys that are to be spoken of as spoken of, in one statement: so that nobody does it twice. */
export const updateReminded = (tx: Tx, tenantId: string, moments: ReminderMoments): Promise<ApiKeyRow[]> =>
  tx
    .updateTable('api_keys')
    .set({ reminded_days: sql<number>`case when expires_at <= ${moments.day} then 1 else 7 end` })
    .where('tenant_id', '=', tenantId)
    .where(isToBeReminded(moments))
    .returningAll()
    .execute()

/** Across tenants: counts of days before. */
export const deleteUsageBefore = (tx: Tx, date: string) =>
  tx.deleteFrom('api_key_usage').where('date', '<', date).execute()

/** Across tenants: takes keys of ours that ended for good before that moment out of the directory. One that expired may live again. */
export const deleteOldHashes = (tx: Tx, before: string) =>
  sql`delete from api_key_hashes h using api_keys k
    where h.tenant_id = k.tenant_id and h.api_key_id = k.id and not h.is_imported
      and (k.revoked_at < ${before} or k.overlap_ends_at < ${before})
    returning 1`.execute(tx)

/** Which of these keys the directory knows. */
export const listKnownKeys = (tx: Tx, tenantId: string, ids: readonly string[]) =>
  tx
    .selectFrom('api_key_hashes')
    .select('api_key_id')
    .where('tenant_id', '=', tenantId)
    .where(sql<boolean>`api_key_id = any(${ids}::uuid[])`)
    .execute()
