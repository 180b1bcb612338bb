import { type Ctx, MINUTES } from '#kernel'
import { requireSize } from '../rules.ts'
import type { UploadRow } from '../table.ts'
import { reserveMore } from './reservation.ts'

/** Bytes that may be in the storage before they are in the quota: whoever announces a length has all of it taken before. */
const STEP_BYTES = 1024 * 1024
/** How often an upload that goes on says so. */
const SIGN_OF_LIFE_MS = 10 * MINUTES

/** Passes on what arrives, counts it, and takes its quota as it goes. Throws 413, and 402. */
export async function* metered(
  ctx: Ctx,
  upload: UploadRow,
  content: AsyncIterable<Buffer>,
  maxBytes: number,
): AsyncGenerator<Buffer> {
  let { reserved } = upload
  let received = 0
  let heard = ctx.clock.ms()
  for await (const chunk of content) {
    received += chunk.length
    requireSize(maxBytes, received)
    const isDue = received >= reserved + STEP_BYTES
    if (isDue || ctx.clock.ms() - heard >= SIGN_OF_LIFE_MS) {
      const more = isDue ? received - reserved : 0
      ;({ reserved } = await ctx.transaction((ctx) => reserveMore(ctx, upload, more)))
      heard = ctx.clock.ms()
    }
    yield chunk
  }
}
