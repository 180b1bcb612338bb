import { type Insertable, sql, type Tx, type Updateable } from '#kernel'
import { type AuditRow, selectRecords } from '../queries.ts'
import type { AuditBlockTable, AuditChainTable, BlockRow, ChainRow } from '../table.ts'

/** A block without the id of its row. */
export type SealedBlock = Omit<BlockRow, 'id'>

/** Runs a query in some transaction. */
export type Read = <T>(query: (tx: Tx, tenantId: string) => Promise<T>) => Promise<T>

const blockColumns = [
  'tenant_id',
  'height',
  'kind',
  'first_position',
  'record_count',
  'first_id',
  'last_id',
  'entries',
  'complete_to',
  'removed_to',
  'kept_from',
  'previous_hash',
  'hash',
  'key_id',
  'signature',
  'created_at',
] as const // the literal names type the row

const selectChain = (tx: Tx, tenantId: string) =>
  tx.selectFrom('audit_chains').selectAll().where('tenant_id', '=', tenantId)

const selectBlocks = (tx: Tx, tenantId: string) =>
  tx.selectFrom('audit_blocks').select(blockColumns).where('tenant_id', '=', tenantId)

export const findChain = (tx: Tx, tenantId: string): Promise<ChainRow | undefined> =>
  selectChain(tx, tenantId).executeTakeFirst()

/** Locks the chain against other writers until the transaction ends. */
export const lockChain = (tx: Tx, tenantId: string): Promise<ChainRow | undefined> =>
  selectChain(tx, tenantId).forUpdate().executeTakeFirst()

/** Does nothing when the chain exists. */
export const insertChain = async (tx: Tx, chain: Insertable<AuditChainTable>): Promise<void> => {
  await tx
    .insertInto('audit_chains')
    .values(chain)
    .onConflict((same) => same.column('tenant_id').doNothing())
    .execute()
}

export const updateChain = async (
  tx: Tx,
  tenantId: string,
  change: Omit<Updateable<AuditChainTable>, 'tenant_id'>,
): Promise<void> => {
  await tx.updateTable('audit_chains').set(change).where('tenant_id', '=', tenantId).execute()
}

export const insertBlock = async (tx: Tx, block: Insertable<AuditBlockTable>): Promise<void> => {
  await tx.insertInto('audit_blocks').values(block).execute()
}

/**
 * The running transactions: all with numbers below `xmin` have ended. `next` is greater than the number of any
 * transaction that has started to write; it is the number of this transaction, because a snapshot covers only those up
 * to the last one that ended.
 */
export async function getRunning(tx: Tx): Promise<{ xmin: string; next: string }> {
  const { rows } = await sql<{ xmin: string; next: string }>`
    select pg_snapshot_xmin(pg_current_snapshot())::text as xmin, pg_current_xact_id()::text as next`.execute(tx)
  return rows[0]! // a select without a table gives one row
}

/** A range of ids: from `from` to before `before`. */
export interface IdRange {
  from: string
  before: string
}

export async function countRecords(tx: Tx, tenantId: string, { from, before }: IdRange): Promise<number> {
  const row = await tx
    .selectFrom('audit_logs')
    .select((select) => select.fn.countAll<number>().as('count'))
    .where('tenant_id', '=', tenantId)
    .where('id', '>=', from)
    .where('id', '<', before)
    .executeTakeFirstOrThrow()
  return row.count
}

/** Ids of records of a range after a given one, in order. */
export async function listRecordIds(
  tx: Tx,
  tenantId: string,
  { from, before, after, limit }: IdRange & { after: string | null; limit: number },
): Promise<string[]> {
  const query = tx
    .selectFrom('audit_logs')
    .select('id')
    .where('tenant_id', '=', tenantId)
    .where('id', '>=', from)
    .where('id', '<', before)
  const rest = after === null ? query : query.where('id', '>', after)
  const rows = await rest.orderBy('id').limit(limit).execute()
  return rows.map(({ id }) => id)
}

/** The first records between two ids, in order. */
export const listRecordsAfter = (
  tx: Tx,
  tenantId: string,
  { after, before, limit }: { after: string; before: string; limit: number },
): Promise<AuditRow[]> =>
  selectRecords(tx, tenantId).where('id', '>', after).where('id', '<', before).orderBy('id').limit(limit).execute()

/** The records of these ids that exist, unordered. */
export async function listRecordsById(tx: Tx, tenantId: string, ids: readonly string[]): Promise<AuditRow[]> {
  if (ids.length === 0) return []
  let [least, greatest] = [ids[0]!, ids[0]!] // it is not empty
  for (const id of ids) {
    if (id < least) least = id
    if (id > greatest) greatest = id
  }
  // The bounds exclude partitions that cannot hold one.
  return selectRecords(tx, tenantId)
    .where(sql<boolean>`id = any(${ids}::uuid[])`)
    .where('id', '>=', least)
    .where('id', '<=', greatest)
    .execute()
}

/** The number of records in blocks that lie completely within the range. */
export async function countSealed(tx: Tx, tenantId: string, { from, before }: IdRange): Promise<number> {
  const row = await tx
    .selectFrom('audit_blocks')
    .select((select) => select.fn.coalesce(select.fn.sum<number>('record_count'), sql<number>`0`).as('count'))
    .where('tenant_id', '=', tenantId)
    .where('last_id', '>=', from)
    .where('last_id', '<', before)
    .where('first_id', '>=', from)
    .executeTakeFirstOrThrow()
  return row.count
}

/** Blocks with a record before the id and one at or after it. */
export const listBlocksAround = (tx: Tx, tenantId: string, id: string): Promise<SealedBlock[]> =>
  selectBlocks(tx, tenantId).where('last_id', '>=', id).where('first_id', '<', id).execute()

/** Blocks that may hold ids of the range, by height after a given one. */
export const listBlocksOver = (
  tx: Tx,
  tenantId: string,
  { first, last, afterHeight, limit }: { first: string; last: string; afterHeight: number; limit: number },
): Promise<SealedBlock[]> =>
  selectBlocks(tx, tenantId)
    .where('last_id', '>=', first)
    .where('first_id', '<=', last)
    .where('height', '>', afterHeight)
    .orderBy('height')
    .limit(limit)
    .execute()

/** Blocks by height. */
export const listBlocks = (
  tx: Tx,
  tenantId: string,
  { from, to, limit }: { from: number; to: number; limit: number },
): Promise<SealedBlock[]> =>
  selectBlocks(tx, tenantId)
    .where('height', '>=', from)
    .where('height', '<=', to)
    .orderBy('height')
    .limit(limit)
    .execute()

export const findSealedBlock = (tx: Tx, tenantId: string, height: number): Promise<SealedBlock | undefined> =>
  selectBlocks(tx, tenantId).where('height', '=', height).executeTakeFirst()

/** The blocks with records from a position on, in order. */
export async function listBlocksAt(
  tx: Tx,
  tenantId: string,
  { position, limit }: { position: number; limit: number },
): Promise<Pick<BlockRow, 'first_position' | 'entries'>[]> {
  const records = () =>
    tx
      .selectFrom('audit_blocks')
      .select(['first_position', 'entries'])
      .where('tenant_id', '=', tenantId)
      .where('kind', '=', 'records')
  const first = records().where('first_position', '<=', position).orderBy('first_position', 'desc').limit(1)
  const [before, after] = await Promise.all([
    first.execute(),
    records().where('first_position', '>', position).orderBy('first_position').limit(limit).execute(),
  ])
  return [...before, ...after]
}

/** The smallest height of a block with a record of that id or a greater one; null: none. */
export async function findHeightOf(tx: Tx, tenantId: string, id: string): Promise<number | null> {
  const row = await tx
    .selectFrom('audit_blocks')
    .select((select) => select.fn.min<number | null>('height').as('height'))
    .where('tenant_id', '=', tenantId)
    .where('last_id', '>=', id)
    .executeTakeFirstOrThrow()
  return row.height
}

/** The greatest height of a block with a record of a smaller id; null: none. */
export async function findLastHeight(tx: Tx, tenantId: string, before: string): Promise<number | null> {
  const row = await tx
    .selectFrom('audit_blocks')
    .select((select) => select.fn.max<number | null>('height').as('height'))
    .where('tenant_id', '=', tenantId)
    .where('first_id', '<', before)
    .executeTakeFirstOrThrow()
  return row.height
}

/** Across tenants, one index look-up for each: those with blocks but without the end of their chain. */
export async function listTenantsWithoutChain(tx: Tx, limit: number): Promise<string[]> {
  const { rows } = await sql<{ tenant_id: string }>`
    with recursive sealed as (
      (select tenant_id from audit_blocks order by tenant_id limit 1)
      union all
      select (select b.tenant_id from audit_blocks b where b.tenant_id > s.tenant_id order by b.tenant_id limit 1)
      from sealed s where s.tenant_id is not null)
    select s.tenant_id from sealed s where s.tenant_id is not null
      and not exists (select from audit_chains c where c.tenant_id = s.tenant_id) limit ${limit}`.execute(tx)
  return rows.map(({ tenant_id }) => tenant_id)
}

/** The height of the newest stored block; 0: none. */
export async function findGreatestHeight(tx: Tx, tenantId: string): Promise<number> {
  const row = await tx
    .selectFrom('audit_blocks')
    .select((select) => select.fn.coalesce(select.fn.max<number>('height'), sql<number>`0`).as('height'))
    .where('tenant_id', '=', tenantId)
    .executeTakeFirstOrThrow()
  return row.height
}

/** Across tenants, by id: those with records from an id on. */
export async function listTenantsSince(
  tx: Tx,
  { since, after, limit }: { since: string; after: string | null; limit: number },
): Promise<{ tenant_id: string }[]> {
  const query = tx
    .selectFrom('audit_logs')
    .select('tenant_id')
    .distinct()
    .where('id', '>=', since)
    .orderBy('tenant_id')
    .limit(limit)
  return (after === null ? query : query.where('tenant_id', '>', after)).execute()
}

/**
 * Across tenants, by id: those with an unsealed record older than an id, and those to be checked again before a time.
 */
export async function listTenantsBehind(
  tx: Tx,
  { olderThan, notedBefore, after, limit }: { olderThan: string; notedBefore: string; after: string; limit: number },
): Promise<{ tenant_id: string }[]> {
  const { rows } = await sql<{ tenant_id: string }>`
    select t.id as tenant_id from tenants t left join audit_chains c on c.tenant_id = t.id
    where t.id > ${after} and ((c.complete_to <= c.sealed_to and c.candidate_at < ${notedBefore}) or exists (
      select from audit_logs a where a.tenant_id = t.id and a.id < ${olderThan}
        and a.id > coalesce(c.sealed_to, '00000000-0000-0000-0000-000000000000')))
    order by t.id limit ${limit}`.execute(tx)
  return rows
}
