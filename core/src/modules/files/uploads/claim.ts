import { type Ctx, conflict, fromNow, HOURS, MINUTES } from '#kernel'
import type { UploadRow } from '../table.ts'
import { type Times, updateTimes } from './writer-queries.ts'

/** How long after its last sign of life an upload straight to the storage may still be completed. */
export const COMPLETION_MS = 3 * HOURS
/** What a process that dies while it receives or completes keeps others waiting. */
const CLAIM_MS = 10 * MINUTES
/** How often one that goes on says so. */
const RENEW_MS = 1 * MINUTES

/** What may be otherwise in a moment is not kept for an `Idempotency-Key`. */
export const SOON = { 'retry-after': '1' }

export const busy = () =>
  conflict({ detail: 'Another request is sending this upload, or completing it', headers: SOON })

/** Until when whoever shows life now holds an upload. */
export function claimTimes({ clock }: Pick<Ctx, 'clock'>): Times {
  return {
    writer_until: fromNow(clock, CLAIM_MS),
    expires_at: fromNow(clock, COMPLETION_MS),
    updated_at: clock.now(),
  }
}

/** Passes content on, and holds the upload for as long as it comes. Throws 409 when somebody else goes on with it. */
export async function* holding<T>(ctx: Ctx, upload: UploadRow, content: AsyncIterable<T>): AsyncGenerator<T> {
  const { tenant_id: tenantId } = upload
  // Since it was taken: content may wait for long before its first byte.
  let heard = Date.parse(upload.updated_at)
  const renew = () => ctx.transaction((ctx) => updateTimes(ctx.tx, upload, claimTimes(ctx)), { tenantId })
  for await (const chunk of content) {
    if (ctx.clock.ms() - heard >= RENEW_MS) {
      heard = ctx.clock.ms()
      const isHeld = await renew().catch((err: Error) => {
        // Ten times, before anybody else may go on.
        ctx.log.warn({ err, upload: upload.id }, 'an upload could not be renewed')
        return true
      })
      if (!isHeld) throw busy()
    }
    yield chunk
  }
}
