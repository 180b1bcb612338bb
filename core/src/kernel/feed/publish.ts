import { sql } from 'kysely'
import type { Ctx } from '../context.ts'
import { beforeCommit, sendUnawaited, unboundTx } from '../db/kysely.ts'
import { fillerOf } from '../db/prepared.ts'
import type { AuditLogTable, EventTable, Tx } from '../db/tables.ts'
import { type PublishedEvent, publicData } from '../events/published.ts'
import type { Values } from '../events/redact.ts'

/** An event that a transaction publishes, before it has its place. */
export type PublishedRow = Omit<EventTable, 'tenant_id' | 'position' | 'data'> & { data: string }

/**
 * Called with what a transaction publishes in a tenant, at its end: what it writes and enqueues is committed with that. When it
 * throws, the transaction fails.
 */
export type Dispatcher = (ctx: Ctx, events: readonly PublishedRow[]) => Promise<void> | void

/** What a transaction is to publish, by tenant. */
type Noted = Map<string, { ctx: Ctx; events: PublishedRow[] }>
const pending = new WeakMap<Tx, Noted>()

type Recorded = Omit<AuditLogTable, 'tenant_id'>

/** Notes an event that goes out when the transaction of `ctx`, which is in a tenant, commits. */
export function publish(ctx: Ctx, event: PublishedEvent, row: Recorded, values: Values): void {
  const { tx, tenantId } = ctx
  const byTenant = pending.get(tx) ?? begin(tx)
  const own = byTenant.get(tenantId) ?? { ctx, events: [] }
  byTenant.set(tenantId, own)
  const { id, created_at, store_id, actor_type, actor_id, actor_label, impersonator_id } = row
  const actor = { actor_type, actor_id, actor_label, impersonator_id }
  const data = JSON.stringify(publicData(event.definition.data, values))
  own.events.push({ id, created_at, store_id, ...actor, type: event.name, data })
}

function begin(tx: Tx): Noted {
  const noted: Noted = new Map()
  pending.set(tx, noted)
  beforeCommit(tx, async () => {
    const tenants = [...noted].toSorted(byName)
    for (const [, { ctx, events }] of tenants)
      for (const dispatch of ctx.registry.dispatchers) await dispatch(ctx, events)
    // Last: from here to the commit nobody else can publish in these tenants, and nothing is waited for.
    for (const [tenantId, { ctx, events }] of tenants)
      sendUnawaited(ctx.tx, insertion([tenantId, ...COLUMNS.map((column) => events.map((each) => each[column]))]))
  })
  return noted
}

/** Two transactions that publish in the same tenants take their places in the same order. */
const byName = ([one]: [string, unknown], [other]: [string, unknown]) => (one < other ? -1 : 1)

const COLUMNS = [
  'id',
  'type',
  'created_at',
  'store_id',
  'actor_type',
  'actor_id',
  'actor_label',
  'impersonator_id',
  'data',
] as const satisfies readonly (keyof PublishedRow)[] // the order of the statement

const insertion = fillerOf(1 + COLUMNS.length, ([tenant, ...columns]) => {
  const [ids, types, times, stores, actorTypes, actorIds, labels, impersonators, data] = columns
  const query = sql`
    with head as (
      insert into event_heads as h (tenant_id, position) values (${tenant}, cardinality(${ids}::uuid[]))
      on conflict (tenant_id) do update set position = h.position + excluded.position
      returning h.position
    )
    insert into events (tenant_id, id, position, type, created_at, store_id, actor_type, actor_id, actor_label, impersonator_id, data)
    select ${tenant}::uuid, e.id, h.position - cardinality(${ids}::uuid[]) + e.place, e.type, e.created_at, e.store_id,
      e.actor_type, e.actor_id, e.actor_label, e.impersonator_id, e.data::json
    from head as h cross join unnest(${ids}::uuid[], ${types}::text[], ${times}::timestamptz[], ${stores}::uuid[], ${actorTypes}::text[],
      ${actorIds}::uuid[], ${labels}::text[], ${impersonators}::uuid[], ${data}::text[]) with ordinality
      as e (id, type, created_at, store_id, actor_type, actor_id, actor_label, impersonator_id, data, place)
    returning 1`
  return { compile: () => query.compile(unboundTx) }
})
