import { firstIdAt, sql, type Tx } from '#kernel'
import type { Replay } from '../schema-deliveries.ts'
import type { DeliveryRow, WebhookRow } from '../table.ts'

/** At once: more would keep a transaction open for long. */
export const MOST_REPLAYED = 10_000
/** Events of a time of which it is asked whether they were sent. */
export const MOST_LOOKED_AT = 50_000

export interface Replayed extends Replay {
  /** Names; null: all. */
  events: readonly string[] | null
  now: string
}

const idsOf = ({ since, until }: Pick<Replay, 'since' | 'until'>) => ({
  from: firstIdAt(Date.parse(since)),
  to: firstIdAt(Date.parse(until)),
})

/** How many events of a tenant happened in a time; one more than `MOST_LOOKED_AT` stands for any number beyond. */
export async function countEvents(tx: Tx, { tenant_id }: WebhookRow, replayed: Replayed): Promise<number> {
  const { from, to } = idsOf(replayed)
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from (
      select 1 from events where tenant_id = ${tenant_id} and id >= ${from} and id < ${to} limit ${MOST_LOOKED_AT + 1}
    ) as e`.execute(tx)
  return rows[0]?.count ?? 0
}

/** Puts deliveries of a time that have a status on their way again. Counts as `countReplayed`. */
export async function countSentAgain(
  tx: Tx,
  { tenant_id, id }: WebhookRow,
  { status, now, ...time }: Replayed & { status: DeliveryRow['status'] },
): Promise<number> {
  const { from, to } = idsOf(time)
  const { rows } = await sql`
    update webhook_deliveries as d set status = 'pending', tries = 0, next_attempt_at = ${now}::timestamptz
    where d.tenant_id = ${tenant_id} and d.status = ${sql.lit(status)} and d.id = any (array(
      select w.id from webhook_deliveries as w
      where w.tenant_id = ${tenant_id} and w.webhook_id = ${id} and w.status = ${sql.lit(status)} and w.event_id is not null
        and w.id >= ${from} and w.id < ${to}
      order by w.id limit ${MOST_REPLAYED + 1}))
    returning 1`.execute(tx)
  return rows.length
}

/** Has sent at once what waits for a webhook, each with its schedule from the start. */
export async function updateWaiting(
  tx: Tx,
  { tenantId, webhookId, now }: { tenantId: string; webhookId: string; now: string },
): Promise<void> {
  await tx
    .updateTable('webhook_deliveries')
    .set({ tries: 0, next_attempt_at: now })
    .where('tenant_id', '=', tenantId)
    .where('webhook_id', '=', webhookId)
    .where('status', '=', sql.lit('pending'))
    .where('next_attempt_at', '>', now)
    .execute()
}

/**
 * Puts the events of a time on their way to a webhook, oldest first. Returns how many; one more than `MOST_REPLAYED` stands for
 * any number beyond, of which some are left out. Each delivery is looked up by its key, which the limit sees to: by statistics
 * that are not up to date all of them might be read for each event.
 */
export async function countReplayed(tx: Tx, webhook: WebhookRow, replayed: Replayed): Promise<number> {
  const { tenant_id, id, store_ids } = webhook
  const { since, until, status, events, now } = replayed
  const isWanted = status === 'missed' ? sql`d.id is null` : sql`d.status is distinct from 'pending'`
  const { from, to } = idsOf({ since, until })
  const { rows } = await sql`
    insert into webhook_deliveries as w (tenant_id, id, created_at, webhook_id, event_id, event, status, attempts, tries, next_attempt_at)
    select ${tenant_id}::uuid, tenantry.delivery_id(${id}::uuid, e.id), e.created_at, ${id}::uuid, e.id, e.type, 'pending', 0, 0, ${now}::timestamptz
    from events as e left join lateral (
      select d.id, d.status from webhook_deliveries as d
      where d.tenant_id = ${tenant_id} and d.tenant_id = e.tenant_id and d.id = tenantry.delivery_id(${id}::uuid, e.id) limit 1
    ) as d on true
    where e.tenant_id = ${tenant_id} and e.id >= ${from} and e.id < ${to}
      and (${events}::text[] is null or e.type = any(${events}::text[]))
      and (${store_ids}::uuid[] is null or e.store_id = any(${store_ids}::uuid[])) and ${isWanted}
    order by e.id limit ${MOST_REPLAYED + 1}
    on conflict (tenant_id, id) do update set status = excluded.status, tries = 0, next_attempt_at = excluded.next_attempt_at
      where w.status <> 'pending'
    returning 1`.execute(tx)
  return rows.length
}
