import { type Ctx, deliver, newId } from '#kernel'
import { getSink } from './queries.ts'
import type { ProbeResult } from './schema.ts'
import { sinkSecrets } from './secrets.ts'
import { CONTENT_TYPE } from './send.ts'

/** Sends an empty signed batch now, also to a paused sink. Changes nothing. Throws 404. */
export async function probeSink(ctx: Ctx, id: string): Promise<ProbeResult> {
  const sink = await ctx.transaction((inner) => getSink(inner.tx, inner.tenantId, id), { readOnly: true })
  const message = { id: `${id}_test_${newId()}`, body: '', contentType: CONTENT_TYPE }
  const { status, error } = await deliver(ctx, sinkSecrets, sink, message)
  return { ok: error === null, status, error }
}
