import { type Ctx, conflict, DAYS, fromNow, newId, notFound, SECONDS } from '#kernel'
import { requireFile } from '../../rules.ts'
import type { UploadRow } from '../../table.ts'
import { beginnerOf } from '../reservation.ts'
import { deleteWriter, type Times, updateTimes } from '../writer-queries.ts'
import { offsetConflict, uploadBusy } from './errors.ts'
import { findOwn, updateWriter } from './queries.ts'

/** An upload that stands still for so long is given up. */
export const EXPIRES_MS = 1 * DAYS
/** What a writer that died keeps others waiting. */
export const LEASE_MS = 40 * SECONDS
/** How often it says that it lives. */
export const RENEW_MS = 10 * SECONDS

export const lost = () => conflict({ detail: 'Another request goes on with this upload, or it was given up' })

/** When a writer that shows life now has to do so again. */
export function timesOf({ clock }: Pick<Ctx, 'clock'>): Times {
  return {
    writer_until: fromNow(clock, LEASE_MS),
    expires_at: fromNow(clock, EXPIRES_MS),
    updated_at: clock.now(),
  }
}

/** Makes this request the one that writes. Throws 404, 409 at another offset, 423 while another request writes. */
export async function takeLease(ctx: Ctx, id: string, offset: number): Promise<UploadRow> {
  const named = { tenant_id: ctx.tenantId, id }
  const begunBy = beginnerOf(ctx)
  // Its end is put off by bytes alone.
  const { expires_at: _, ...times } = timesOf(ctx)
  const taken = await updateWriter(ctx.tx, named, { ...times, writer: newId(), offset, begunBy })
  if (taken) {
    // What it belongs to may be gone, or closed to the caller, since it began.
    await requireFile(ctx, taken, 'change')
    return taken
  }
  const found = await findOwn(ctx.tx, named, { begunBy, now: ctx.clock.now() })
  if (!found) throw notFound()
  const headers = { 'upload-offset': String(found.received) }
  if (found.received === offset) throw uploadBusy({ headers })
  throw offsetConflict({ detail: `The upload has ${found.received} bytes`, headers })
}

/** A writer that is renewed until it ends. */
export interface Lease {
  end(): Promise<void>
}

/**
 * Renews the lease as long as something goes on: while nothing arrives of a client that may be long gone, the next one
 * need not wait. `stop` hears of a lease that was lost.
 */
export function keepLease(
  ctx: Ctx,
  upload: UploadRow,
  { isIdle, stop }: { isIdle: () => boolean; stop: (error: Error) => void },
): Lease {
  let renewing: Promise<void> = Promise.resolve()
  const renew = async () => {
    if (isIdle()) return
    try {
      // The end of the upload is put off by each piece that is safe.
      const { expires_at: _, ...times } = timesOf(ctx)
      if (!(await ctx.transaction((ctx) => updateTimes(ctx.tx, upload, times)))) stop(lost())
    } catch (error) {
      ctx.log.warn({ err: error, upload: upload.id }, 'the lease of an upload could not be renewed')
    }
  }
  const timer = setInterval(() => {
    renewing = renewing.then(renew)
  }, RENEW_MS).unref()
  return {
    async end() {
      clearInterval(timer)
      await renewing
      try {
        await ctx.transaction((ctx) => deleteWriter(ctx.tx, upload))
      } catch (error) {
        ctx.log.warn({ err: error, upload: upload.id }, 'an upload waits until the lease of its writer has run out')
      }
    },
  }
}
