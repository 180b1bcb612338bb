import { firstIdAt, sql, type Tx } from '#kernel'
import type { Replay } from '../schema-deliveries.ts'
import type { WebhookRow } from '../table.ts'

/** At once: more would keep a transaction open for long. */
export const MOST_REPLAYED = 10_000

export interface Replayed extends Replay {
  /** Names; null: all. */
  events: readonly string[] | null
  now: string
}

/**
 * Looks each delivery up by its key, which the limit sees to: by statistics that are not up to date all of them might be read
 * for each event.
 *
 * Puts the events of a time on their way to a webhook, oldest first. Returns how many; one more than `MOST_REPLAYED` stands for
 * any number beyond, of which some are left out.
 */
export async function countReplayed(tx: Tx, webhook: WebhookRow, replayed: Replayed): Promise<number> {
  const { tenant_id, id, store_ids } = webhook
  const { since, until, status, events, now } = replayed
  const isWanted =
    status === undefined
      ? sql`d.status is distinct from 'pending'`
      : status === 'missed'
        ? sql`d.id is null`
        : sql`d.status = ${status}`
  const { rows } = await sql`
    insert into webhook_deliveries as w (tenant_id, id, created_at, webhook_id, event_id, event, status, attempts, tries, next_attempt_at)
    select ${tenant_id}::uuid, tenantry.delivery_id(${id}::uuid, e.id), e.created_at, ${id}::uuid, e.id, e.type, 'pending', 0, 0, ${now}::timestamptz
    from events as e left join lateral (
      select d.id, d.status from webhook_deliveries as d
      where d.tenant_id = ${tenant_id} and d.tenant_id = e.tenant_id and d.id = tenantry.delivery_id(${id}::uuid, e.id) limit 1
    ) as d on true
    where e.tenant_id = ${tenant_id} and e.id >= ${firstIdAt(Date.parse(since))} and e.id < ${firstIdAt(Date.parse(until))}
      and (${events}::text[] is null or e.type = any(${events}::text[]))
      and (${store_ids}::uuid[] is null or e.store_id = any(${store_ids}::uuid[])) and ${isWanted}
    order by e.id limit ${MOST_REPLAYED + 1}
    on conflict (tenant_id, id) do update set status = excluded.status, tries = 0, next_attempt_at = excluded.next_attempt_at
    returning 1`.execute(tx)
  return rows.length
}
