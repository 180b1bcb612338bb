import { type RawBuilder, type SqlBool, sql, type Tx } from '#kernel'
import { ACTION, atLeast, matching, mayMatch, narrow, newestFirst, type Selection } from '../selection.ts'
import type { NameKind, NameRow } from '../table.ts'

/** The parts of a record that are searched. */
export interface Labelled {
  id: string
  action: string
  actor_label: string
  resource_label: string | null
}

/** The id up to which all records are in the dictionary; null: there are none. */
export async function findCompleteTo(tx: Tx, tenantId: string): Promise<string | null> {
  const row = await tx
    .selectFrom('audit_chains')
    .select('complete_to')
    .where('tenant_id', '=', tenantId)
    .executeTakeFirst()
  return row?.complete_to ?? null
}

/**
 * Reads the newest `limit` records of a selection. Returns those that may match the pattern (see `asciiPattern`), and
 * the id of the last one read: null when there were fewer than `limit`.
 */
export async function listLabels(
  tx: Tx,
  tenantId: string,
  { limit, pattern, criteria, ...span }: Selection & { pattern: string | null },
): Promise<{ rows: Labelled[]; last: string | null }> {
  const { rows } = await sql<Labelled & { is_last: boolean }>`
    with seen as materialized (
      select id, action, actor_label, resource_label from audit_logs
      where tenant_id = ${tenantId} and ${matching(criteria, narrow(criteria, span))}
      order by ${newestFirst(criteria)} limit ${sql.lit(limit)})
    select *, false as is_last from seen
    where ${mayMatch('action', pattern)} or ${mayMatch('actor_label', pattern)} or ${mayMatch('resource_label', pattern)}
    union all (select id, '', '', null, true from seen order by id desc offset ${sql.lit(limit - 1)} limit 1)`.execute(
    tx,
  )
  const last = rows.find(({ is_last }) => is_last)
  return { rows: rows.filter(({ is_last }) => !is_last), last: last?.id ?? null }
}

/** Names with such a term, from up to `limit` terms; some may occur twice. */
export async function listNames(
  tx: Tx,
  tenantId: string,
  { from, before, limit }: { from: string; before: string | null; limit: number },
): Promise<NameRow[]> {
  const upTo = before === null ? sql`` : sql`and term < ${before}`
  const { rows } = await sql<NameRow>`
    select n.* from (
      select tenant_id, name_id from audit_terms where tenant_id = ${tenantId} and term >= ${from} ${upTo} limit ${sql.lit(limit)}) t
    join audit_names n on n.tenant_id = t.tenant_id and n.id = t.name_id where n.tenant_id = ${tenantId}`.execute(tx)
  return rows
}

/**
 * The records with a name, as a range of an index, which the planner can only read in order. For an equality it would
 * estimate few rows, read them all and sort them, though there may be many.
 */
const inOrder = (name: RawBuilder<unknown>) => sql<SqlBool>`${name} is not null
  and (${name}, id) >= (n.ref, n.first_id) and (${name}, id) <= (n.ref, n.last_id)`

/** Nearly all rows in the range match; for a bare equality the planner would estimate few. */
const isLabel = (column: string) => sql<SqlBool>`coalesce(${sql.ref(column)} = n.label, false)`

const KINDS: Readonly<Record<NameKind, { type: string; column: RawBuilder<unknown>; holds: RawBuilder<SqlBool> }>> = {
  actor: { type: 'uuid', column: sql`actor_id`, holds: isLabel('actor_label') },
  actor_type: { type: 'text', column: sql`actor_type`, holds: sql`actor_id is null and ${isLabel('actor_label')}` },
  resource: { type: 'text', column: sql`resource_id`, holds: isLabel('resource_label') },
  resource_type: {
    type: 'text',
    column: sql`resource_type`,
    holds: sql`resource_id is null and ${isLabel('resource_label')}`,
  },
  action: { type: 'text', column: ACTION, holds: sql`true` },
}

/** Ids of the newest records of a selection with one of these names, all of the same kind. */
export async function listIdsOfNames(
  tx: Tx,
  tenantId: string,
  { kind, names, limit, criteria, ...span }: Selection & { kind: NameKind; names: readonly NameRow[] },
): Promise<string[]> {
  if (names.length === 0) return []
  const { type, column: name, holds } = KINDS[kind]
  // Casts whole lists, because row-level security prevents an index from using a cast of a single value. In a subquery,
  // so that the plan is made once and does not depend on the number of names.
  const list = (field: 'ref' | 'label' | 'first_id' | 'last_id', type: string) =>
    sql`(select ${names.map((each) => each[field])}::${sql.raw(type)}[])`
  const { rows } = await sql<{ id: string }>`
    select l.id from unnest(${list('ref', type)}, ${list('label', 'text')}, ${list('first_id', 'uuid')}, ${list('last_id', 'uuid')})
      n(ref, label, first_id, last_id)
    cross join lateral (
      select id from audit_logs where tenant_id = ${tenantId} and ${inOrder(name)} and ${holds} and id <= n.last_id
        and ${matching(criteria, narrow(criteria, span))} order by ${name} desc, id desc limit ${atLeast(limit)}) l
    order by l.id desc limit ${atLeast(limit)}`.execute(tx)
  return rows.map(({ id }) => id)
}

/** The existing ones of these names, and the range of records of each. */
export const listNamesById = (
  tx: Tx,
  tenantId: string,
  ids: readonly string[],
): Promise<Omit<NameRow, 'tenant_id'>[]> =>
  tx
    .selectFrom('audit_names')
    .select(['id', 'kind', 'ref', 'label', 'first_id', 'last_id'])
    .where('tenant_id', '=', tenantId)
    .where(sql<boolean>`id = any(${ids}::uuid[])`)
    .execute()

/** Names whose last record has a smaller id, by id after a given one. */
export const listNamesBefore = (
  tx: Tx,
  tenantId: string,
  { before, afterId, limit }: { before: string; afterId: string; limit: number },
): Promise<Pick<NameRow, 'id' | 'label'>[]> =>
  tx
    .selectFrom('audit_names')
    .select(['id', 'label'])
    .where('tenant_id', '=', tenantId)
    .where('last_id', '<', before)
    .where('id', '>', afterId)
    .orderBy('id')
    .limit(limit)
    .execute()

export async function insertNames(
  tx: Tx,
  tenantId: string,
  names: readonly Omit<NameRow, 'tenant_id'>[],
): Promise<void> {
  const column = (name: keyof Omit<NameRow, 'tenant_id'>) => names.map((each) => each[name])
  await sql`
    insert into audit_names (tenant_id, id, kind, ref, label, first_id, last_id)
    select ${tenantId}, n.id, n.kind, n.ref, n.label, n.first_id, n.last_id from (
      select * from unnest(${column('id')}::uuid[], ${column('kind')}::text[], ${column('ref')}::text[], ${column('label')}::text[],
        ${column('first_id')}::uuid[], ${column('last_id')}::uuid[])) n(id, kind, ref, label, first_id, last_id)
    returning 1`.execute(tx)
}

/** Updates the range of records of existing names. */
export async function updateNames(
  tx: Tx,
  tenantId: string,
  names: readonly Pick<NameRow, 'id' | 'first_id' | 'last_id'>[],
): Promise<void> {
  const column = (name: 'id' | 'first_id' | 'last_id') => names.map((each) => each[name])
  await sql`
    update audit_names set first_id = n.first_id, last_id = n.last_id
    from unnest(${column('id')}::uuid[], ${column('first_id')}::uuid[], ${column('last_id')}::uuid[]) n(id, first_id, last_id)
    where audit_names.tenant_id = ${tenantId} and audit_names.id = n.id`.execute(tx)
}

/** A word of a name, and the name. */
export interface Term {
  term: string
  name_id: string
}

export async function insertTerms(tx: Tx, tenantId: string, terms: readonly Term[]): Promise<void> {
  const [words, ids] = [terms.map(({ term }) => term), terms.map(({ name_id }) => name_id)]
  await sql`
    insert into audit_terms (tenant_id, term, name_id)
    select ${tenantId}, t.term, t.name_id from (select * from unnest(${words}::text[], ${ids}::uuid[])) t(term, name_id)
    returning 1`.execute(tx)
}

export async function deleteNames(
  tx: Tx,
  tenantId: string,
  ids: readonly string[],
  terms: readonly Term[],
): Promise<void> {
  const [words, nameIds] = [terms.map(({ term }) => term), terms.map(({ name_id }) => name_id)]
  await sql`
    delete from audit_terms using unnest(${words}::text[], ${nameIds}::uuid[]) t(term, name_id)
    where audit_terms.tenant_id = ${tenantId} and audit_terms.term = t.term and audit_terms.name_id = t.name_id`.execute(
    tx,
  )
  await tx
    .deleteFrom('audit_names')
    .where('tenant_id', '=', tenantId)
    .where(sql<boolean>`id = any(${ids}::uuid[])`)
    .execute()
}
