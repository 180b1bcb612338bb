import { every, everyTenant } from '#kernel'
import { listBacklog, listTenantsBehind } from './queries.ts'
import { enqueueSending } from './send.ts'

/** Enqueues sending of newly sealed records, of due retries, and of batches left by a process that died. */
export const findBacklog = every('* * * * *', 'audit_sinks.find_backlog', (ctx) =>
  everyTenant(ctx, {
    name: 'audit_sinks.find_backlog',
    list: (tx, page) => listTenantsBehind(tx, { ...page, now: ctx.clock.now() }),
    work: async (ctx, { tenant_id }) => {
      for (const { id } of await listBacklog(ctx.tx, tenant_id, ctx.clock.now())) await enqueueSending(ctx, id)
    },
  }),
)
