import { every } from '#kernel'
import { listBacklog, type SinkKey } from './queries.ts'
import { enqueueSending } from './sending.ts'

const BATCH = 500

/** Has sent what was sealed since, what is due to be tried again, and what a process that died has left. */
export const findBacklog = every('* * * * *', 'audit_sinks.find_backlog', async ({ core, clock, tx, log }) => {
  const now = clock.now()
  for (let after: SinkKey | null = null; ; ) {
    const sinks: SinkKey[] = await listBacklog(tx, { now, after, limit: BATCH })
    // In a transaction of that tenant alone; one that fails keeps no other from its turn.
    for (const { tenant_id, id } of sinks)
      await core
        .run((ctx) => enqueueSending(ctx, id), { tenantId: tenant_id })
        .catch((error: unknown) => log.error({ err: error, tenant_id, sink_id: id }, 'a sink could not be served'))
    after = sinks.at(-1) ?? null
    if (sinks.length < BATCH) return
  }
})
