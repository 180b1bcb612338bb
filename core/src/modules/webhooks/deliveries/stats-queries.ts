import { sql, type Tx } from '#kernel'

interface AttemptStats {
  attempts: number
  success_rate: number | null
  p50_ms: number | null
  p95_ms: number | null
}

/** Of the last attempts, this many count: enough to know, and always as fast. */
const COUNTED = 1_000

/** Of the last attempts since `from`, an id. */
export async function getAttemptStats(
  tx: Tx,
  { tenantId, webhookId, from }: { tenantId: string; webhookId: string; from: string },
): Promise<AttemptStats> {
  const { rows } = await sql<AttemptStats>`
    select count(*)::int as attempts, (count(*) filter (where a.error is null))::float8 / nullif(count(*), 0) as success_rate,
      (percentile_disc(0.5) within group (order by a.duration_ms) filter (where a.response_status is not null))::int as p50_ms,
      (percentile_disc(0.95) within group (order by a.duration_ms) filter (where a.response_status is not null))::int as p95_ms
    from (select error, response_status, duration_ms from webhook_attempts
      where tenant_id = ${tenantId} and webhook_id = ${webhookId} and id >= ${from} order by id desc limit ${COUNTED}) as a`.execute(
    tx,
  )
  return rows[0]! // an aggregate has one
}

interface Backlog {
  pending: number
  oldest_pending_at: string | null
  next_due: string | null
}

const MOST_COUNTED = 10_000

/** What is on its way to a webhook: how many, since when, and when something is due next. */
export async function getBacklog(tx: Tx, tenantId: string, webhookId: string): Promise<Backlog> {
  const { rows } = await sql<Backlog>`
    select count(*)::int as pending, min(d.created_at) as oldest_pending_at, min(d.next_attempt_at) as next_due
    from (select created_at, next_attempt_at from webhook_deliveries
      where tenant_id = ${tenantId} and webhook_id = ${webhookId} and status = 'pending'
      order by next_attempt_at limit ${MOST_COUNTED}) as d`.execute(tx)
  return rows[0]! // as above
}
