import { isDeepStrictEqual } from 'node:util'
import { type Ctx, checkOutboundUrl, conflict, type Insertable, NO_FAILURES, NO_LEASE, notFound, stamp } from '#kernel'
import { getSealedPosition } from '../audit/index.ts'
import { auditSinkCreated, auditSinkDeleted, auditSinkUpdated } from './events.ts'
import { answerSink, labelOf, presentSink, recordSink } from './present.ts'
import { deleteSink, getSink, insertSink, listSinks, lockSink, updateSink } from './queries.ts'
import type { AuditSink, AuditSinkPatch, AuditSinkWithSecret, NewAuditSink } from './schema.ts'
import { sinkSecrets } from './secrets.ts'
import { enqueueSending } from './send.ts'
import type { AuditSinkTable, SinkRow } from './table.ts'

/** The slots of a tenant in the table. */
const SLOTS = [1, 2, 3]

/** The tenant's sinks, oldest first. */
export async function readSinks({ tx, tenantId }: Ctx): Promise<{ data: AuditSink[] }> {
  const [rows, sealed] = await Promise.all([listSinks(tx, tenantId), getSealedPosition(tx, tenantId)])
  return { data: rows.map((row) => presentSink(row, sealed)) }
}

/** Throws 404 when the tenant has no such sink. */
export async function readSink(ctx: Ctx, id: string): Promise<AuditSink> {
  return answerSink(ctx, await getSink(ctx.tx, ctx.tenantId, id))
}

/** Adds a sink. Throws 400 for a forbidden URL, 409 for a fourth sink. */
export async function addSink(ctx: Ctx, input: NewAuditSink): Promise<AuditSinkWithSecret> {
  checkOutboundUrl(input.url, ctx.config)
  const fresh = stamp(ctx)
  const { secret, columns } = sinkSecrets.create(ctx, fresh.id)
  const sink = await insertIntoSlot(ctx, {
    ...fresh,
    ...NO_FAILURES,
    ...NO_LEASE,
    ...columns,
    url: input.url,
    description: input.description ?? null,
    status: 'active',
    paused_reason: null,
    position: input.from === 'beginning' ? 0 : await getSealedPosition(ctx.tx, ctx.tenantId),
    sent_until: null,
    last_sent_at: null,
    batch_end: null,
  })
  await ctx.emit(auditSinkCreated, { after: recordSink(sink), label: labelOf(sink) })
  await enqueueSending(ctx, sink.id)
  return { ...(await answerSink(ctx, sink)), secret }
}

/**
 * Changes a sink; absent fields stay, null clears. A new URL is tried at once and gets everything that the old one has
 * not confirmed. Throws 404, 400 for a forbidden URL.
 */
export async function changeSink(ctx: Ctx, id: string, patch: AuditSinkPatch): Promise<AuditSink> {
  if (patch.url !== undefined) checkOutboundUrl(patch.url, ctx.config)
  const before = await lockSink(ctx.tx, ctx.tenantId, id)
  if (!before) throw notFound()
  const after = { ...before, ...patch }
  if (isDeepStrictEqual(before, after)) return answerSink(ctx, before)
  const { url, description } = after
  const isMoved = url !== before.url
  const sink = await updateSink(ctx.tx, before, {
    url,
    description,
    ...(isMoved && { ...NO_FAILURES, ...NO_LEASE }),
    updated_at: ctx.clock.now(),
  })
  await ctx.emit(auditSinkUpdated, { before: recordSink(before), after: recordSink(sink), label: labelOf(sink) })
  if (isMoved) await enqueueSending(ctx, id)
  return answerSink(ctx, sink)
}

/** Deletes a sink; a batch being sent may still arrive. Throws 404. */
export async function removeSink(ctx: Ctx, id: string): Promise<undefined> {
  const sink = await deleteSink(ctx.tx, ctx.tenantId, id)
  if (!sink) throw notFound()
  await ctx.emit(auditSinkDeleted, { before: recordSink(sink), label: labelOf(sink) })
}

async function insertIntoSlot(ctx: Ctx, sink: Omit<Insertable<AuditSinkTable>, 'slot'>): Promise<SinkRow> {
  for (const slot of SLOTS) {
    const row = await insertSink(ctx.tx, { ...sink, slot })
    if (row) return row
  }
  throw conflict({ detail: `A tenant has ${SLOTS.length} sinks at most` })
}
