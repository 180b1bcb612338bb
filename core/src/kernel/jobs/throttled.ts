import { fromNow, SECONDS } from '../clock.ts'
import type { Core } from '../core.ts'
import { claiming } from './claim.ts'

/** So much later a turn is tried again that had to wait for another one. */
const AGAIN_MS = 1 * SECONDS

/**
 * Runs a turn of a tenant that is throttled unless another one runs, in whatever process: then its jobs run one at a time. Who
 * finds another one there comes again. Returns whether more may be waiting.
 */
export async function runThrottled(
  core: Core,
  { tenantId, outbound }: { tenantId: string; outbound: boolean },
  turn: () => Promise<boolean>,
): Promise<boolean> {
  const name = `throttled ${tenantId}`
  let more = false
  const isMine = await claiming(core, name, async () => {
    more = await turn()
  })
  // Nothing goes on from where it was: a tenant that is throttled no longer leaves no row.
  if (isMine) await core.db.systemQuery('delete from runs where name = $1 and claimed_by is null returning 1', [name])
  else core.wake(tenantId, fromNow(core.clock, AGAIN_MS), outbound)
  return more
}
