import {
  type EventRow,
  type Insertable,
  notFound,
  type PublishedRow,
  prepared,
  preparedList,
  sql,
  type Tx,
} from '#kernel'
import { patternsOf } from '../patterns.ts'
import type { DeliveryFilter } from '../schema-deliveries.ts'
import type { AttemptRow, DeliveryRow, WebhookDeliveryTable } from '../table.ts'

type EventColumns = Omit<EventRow, 'id' | 'type'> & { type: string | null }
type LastAttempt = Pick<AttemptRow, 'response_status' | 'response_body' | 'error' | 'duration_ms'>

/** A delivery and what it is about; the event's columns are null where it is not kept any more. */
export type DeliveryOfEvent = DeliveryRow & EventColumns
/** The same, and how large what it is about is. */
export type DueDelivery = DeliveryOfEvent & { bytes: number }
/** What the last attempt came to; null where there was none. */
export type ShownDelivery = DeliveryOfEvent & { [column in keyof LastAttempt]: LastAttempt[column] | null }

const EVENT_COLUMNS = [
  'e.type',
  'e.store_id',
  'e.actor_type',
  'e.actor_id',
  'e.actor_label',
  'e.impersonator_id',
  'e.data',
] as const // names of columns type the row

/** Adds deliveries of events to the webhooks that ask for them. Returns the ids of these webhooks, as often as they do. */
export async function insertDeliveries(
  tx: Tx,
  tenantId: string,
  events: readonly PublishedRow[],
  now: string,
): Promise<string[]> {
  const rows = await addForWebhooks(
    tx,
    tenantId,
    events.map(({ id }) => id),
    events.map(({ type }) => type),
    events.map(({ created_at }) => created_at),
    events.map(({ store_id }) => store_id),
    events.map(({ type }) => patternsOf(type).join(' ')),
    now,
  )
  return rows.map(({ webhook_id }) => webhook_id)
}

const addForWebhooks = prepared(
  (
    tx,
    tenantId: string,
    ids: string[],
    types: string[],
    times: string[],
    stores: (string | null)[],
    patterns: string[],
    now: string,
  ) => {
    const query = sql<{ webhook_id: string }>`
      insert into webhook_deliveries (tenant_id, id, created_at, webhook_id, event_id, event, status, attempts, tries, next_attempt_at)
      select ${tenantId}::uuid, tenantry.delivery_id(w.id, e.id), e.created_at, w.id, e.id, e.type, 'pending', 0, 0, ${now}::timestamptz
      from webhooks as w cross join unnest(${ids}::uuid[], ${types}::text[], ${times}::timestamptz[], ${stores}::uuid[], ${patterns}::text[])
        as e (id, type, created_at, store_id, patterns)
      where w.tenant_id = ${tenantId} and w.is_active and w.events && string_to_array(e.patterns, ' ')
        and (w.store_ids is null or e.store_id = any(w.store_ids))
      returning webhook_id`
    return { compile: () => query.compile(tx) }
  },
)

/**
 * The event of each delivery `d`, looked up by its key, which the limit sees to: by statistics that are not up to date, or of a
 * tenant that has far more than this one, all of a tenant's might be read.
 */
const eventOf = (tenantId: string) =>
  sql<EventColumns>`(select * from events where tenant_id = ${tenantId} and tenant_id = d.tenant_id and id = d.event_id limit 1)`.as<'e'>(
    'e',
  )

/** The same of its last attempt. */
const lastAttemptOf = (tenantId: string) =>
  sql<LastAttempt>`(select * from webhook_attempts where tenant_id = ${tenantId} and tenant_id = d.tenant_id and id = d.last_attempt_id limit 1)`.as<'a'>(
    'a',
  )

interface DueQuery {
  tenantId: string
  webhookId: string
  now: string
  limit: number
  /** Nothing but tests. */
  onlyTests: boolean
  /** Only what comes after this one. */
  after?: Pick<DeliveryRow, 'id' | 'next_attempt_at'>
}

/** What is to be sent to a webhook now, longest due first. `onlyTests`: nothing but tests. */
export function listDue(
  tx: Tx,
  { tenantId, webhookId, now, limit, onlyTests, after }: DueQuery,
): Promise<DueDelivery[]> {
  const due = tx
    .selectFrom('webhook_deliveries')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('webhook_id', '=', webhookId)
    .where('status', '=', sql.lit('pending'))
    .where('next_attempt_at', '<=', now)
    .orderBy('next_attempt_at')
    .orderBy('id')
    .limit(limit)
  const rest = after
    ? due.where(sql<boolean>`(next_attempt_at, id) > (${after.next_attempt_at}::timestamptz, ${after.id}::uuid)`)
    : due
  const found = onlyTests ? rest.where('event_id', 'is', null) : rest
  return tx
    .selectFrom(found.as('d'))
    .leftJoinLateral(eventOf(tenantId), (join) => join.onTrue())
    .selectAll('d')
    .select(EVENT_COLUMNS)
    .select(sql<number>`coalesce(octet_length(e.data::text), 0)`.as('bytes'))
    .orderBy('d.next_attempt_at')
    .orderBy('d.id')
    .execute() as Promise<DueDelivery[]> // columns of a left join
}

/** When something is to be sent to a webhook next; undefined: nothing waits. */
export async function findNextDue(tx: Tx, tenantId: string, webhookId: string): Promise<string | undefined> {
  const row = await tx
    .selectFrom('webhook_deliveries')
    .select('next_attempt_at')
    .where('tenant_id', '=', tenantId)
    .where('webhook_id', '=', webhookId)
    .where('status', '=', sql.lit('pending'))
    .orderBy('next_attempt_at')
    .limit(1)
    .executeTakeFirst()
  return row?.next_attempt_at ?? undefined
}

const shown = (tx: Tx, tenantId: string, webhookId: string) =>
  tx
    .selectFrom('webhook_deliveries as d')
    .leftJoinLateral(eventOf(tenantId), (join) => join.onTrue())
    .leftJoinLateral(lastAttemptOf(tenantId), (join) => join.onTrue())
    .selectAll('d')
    .select([...EVENT_COLUMNS, 'a.response_status', 'a.response_body', 'a.error', 'a.duration_ms'])
    .where('d.tenant_id', '=', tenantId)
    .where('d.webhook_id', '=', webhookId)

/** For `page`; what each is about comes by `listAbout`, so that only those of the page are looked up. */
export const listDeliveries = preparedList(
  (tx, tenantId, { webhookId, status, event }: DeliveryFilter & { webhookId: string }) => {
    const all = tx
      .selectFrom('webhook_deliveries as d')
      .selectAll('d')
      .where('d.tenant_id', '=', tenantId)
      .where('d.webhook_id', '=', webhookId)
    const some = status === undefined ? all : all.where('d.status', '=', sql.lit(status))
    return event === undefined ? some : some.where('d.event', '=', event)
  },
)

/** The events and last attempts of these, in their order. */
export async function listAbout(tx: Tx, tenantId: string, rows: readonly DeliveryRow[]): Promise<ShownDelivery[]> {
  const events = rows.map(({ event_id }) => event_id)
  const attempts = rows.map(({ last_attempt_id }) => last_attempt_id)
  const found = await tx
    .selectFrom(
      sql<{ n: number }>`(select ${tenantId}::uuid as tenant_id, u.* from unnest(${events}::uuid[], ${attempts}::uuid[])
        with ordinality as u (event_id, last_attempt_id, n))`.as<'d'>('d'),
    )
    .leftJoinLateral(eventOf(tenantId), (join) => join.onTrue())
    .leftJoinLateral(lastAttemptOf(tenantId), (join) => join.onTrue())
    .select([...EVENT_COLUMNS, 'a.response_status', 'a.response_body', 'a.error', 'a.duration_ms'])
    .orderBy('d.n')
    .execute()
  return rows.map((row, index) => ({ ...row, ...found[index] }) as ShownDelivery) // one for each
}

/** Throws 404. */
export const getDelivery = (tx: Tx, tenantId: string, webhookId: string, id: string): Promise<ShownDelivery> =>
  shown(tx, tenantId, webhookId)
    .where('d.id', '=', id)
    .executeTakeFirstOrThrow(() => notFound()) as Promise<ShownDelivery> // as above

export const insertDelivery = (tx: Tx, delivery: Insertable<WebhookDeliveryTable>): Promise<DeliveryRow> =>
  tx.insertInto('webhook_deliveries').values(delivery).returningAll().executeTakeFirstOrThrow()

/** What a delivery has become after an attempt. */
export interface DeliveryChange
  extends Pick<DeliveryRow, 'id' | 'status' | 'tries' | 'next_attempt_at' | 'delivered_at' | 'last_attempt_id'> {
  /** When it was due. */
  due: string | null
}

/**
 * Counts an attempt of each. What was put on its way again meanwhile stays so: that was asked for after the attempt had begun.
 * Of a limit that it does not know yet the planner expects few rows, and so each is found by its key: by statistics that are not
 * up to date all of a tenant's would be read.
 */
export async function updateDeliveries(tx: Tx, tenantId: string, changes: readonly DeliveryChange[]): Promise<void> {
  const column = <K extends keyof DeliveryChange>(name: K) => changes.map((change) => change[name])
  await sql`
    update webhook_deliveries as d
    set attempts = d.attempts + 1, last_attempt_id = c.last_attempt_id, delivered_at = c.delivered_at,
      status = case when d.next_attempt_at = c.due then c.status else d.status end,
      tries = case when d.next_attempt_at = c.due then c.tries else d.tries end,
      next_attempt_at = case when d.next_attempt_at = c.due then c.next_attempt_at else d.next_attempt_at end
    from (select * from unnest(${column('id')}::uuid[], ${column('status')}::text[], ${column('tries')}::int[],
        ${column('next_attempt_at')}::timestamptz[], ${column('delivered_at')}::timestamptz[], ${column('last_attempt_id')}::uuid[],
        ${column('due')}::timestamptz[]) as c (id, status, tries, next_attempt_at, delivered_at, last_attempt_id, due)
      limit ${changes.length}) as c
    where d.tenant_id = ${tenantId} and d.id = c.id`.execute(tx)
}

/** Puts a delivery on its way again, its schedule from the start; undefined when there is no such delivery. */
export const updateDeliveryAgain = (
  tx: Tx,
  { tenantId, webhookId, id, now }: { tenantId: string; webhookId: string; id: string; now: string },
): Promise<DeliveryRow | undefined> =>
  tx
    .updateTable('webhook_deliveries')
    .set({ status: 'pending', tries: 0, next_attempt_at: now })
    .where('tenant_id', '=', tenantId)
    .where('webhook_id', '=', webhookId)
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst()

export async function insertAttempts(tx: Tx, tenantId: string, attempts: readonly AttemptRow[]): Promise<void> {
  const column = <K extends keyof AttemptRow>(name: K) => attempts.map((attempt) => attempt[name])
  await addAttempts(
    tx,
    tenantId,
    column('id'),
    column('created_at'),
    column('webhook_id'),
    column('delivery_id'),
    column('response_status'),
    column('response_body'),
    column('error'),
    column('duration_ms'),
  )
}

/** A column each, so that the text of the statement is the same however many there are. */
const addAttempts = prepared(
  (
    tx,
    tenantId: string,
    ids: string[],
    times: string[],
    webhooks: string[],
    deliveries: string[],
    statuses: (number | null)[],
    bodies: (string | null)[],
    errors: (string | null)[],
    durations: (number | null)[],
  ) => {
    const query = sql<{ done: number }>`
      insert into webhook_attempts (tenant_id, id, created_at, webhook_id, delivery_id, response_status, response_body, error, duration_ms)
      select ${tenantId}::uuid, a.* from unnest(${ids}::uuid[], ${times}::timestamptz[], ${webhooks}::uuid[], ${deliveries}::uuid[],
        ${statuses}::int[], ${bodies}::text[], ${errors}::text[], ${durations}::int[]) as a
      returning 1 as done`
    return { compile: () => query.compile(tx) }
  },
)

const SHOWN_ATTEMPTS = 100

/** The attempts of a delivery, newest first, as many as are shown. */
export const listAttempts = (tx: Tx, tenantId: string, deliveryId: string): Promise<AttemptRow[]> =>
  tx
    .selectFrom('webhook_attempts')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('delivery_id', '=', deliveryId)
    .orderBy('id', 'desc')
    .limit(SHOWN_ATTEMPTS)
    .execute()
