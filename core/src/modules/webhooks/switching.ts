import { type Ctx, greatest, MINUTES, momentAfter, NO_FAILURES } from '#kernel'
import { pauseOfRate } from './deliveries/pace.ts'
import type { WebhookRow } from './table.ts'

/**
 * An event has its time before it is committed, and whether the webhook is on is looked at then; clocks differ too. What is
 * missed has no delivery, so a little more of the time around does no harm.
 */
const MARGIN_MS = 5 * MINUTES

/** The columns of a webhook that is on or off from now on; none where nothing is said, or that is so already. */
export function switched(
  { clock }: Pick<Ctx, 'clock'>,
  before: WebhookRow,
  isActive: boolean | undefined,
): Partial<WebhookRow> {
  // Whoever switches off what had switched itself off wants no trials.
  if (isActive === false) return { is_active: false, off_since: before.off_since ?? clock.now(), ...NO_TRIALS }
  if (isActive === undefined || before.is_active) return {}
  return {
    ...NO_FAILURES,
    next_attempt_at: pauseOfRate(before, clock),
    is_active: true,
    ...NO_TRIALS,
    off_since: null,
    told_at: null,
    // What was missed earlier, and not asked for, goes on being missed.
    missed_since:
      before.missed_since ?? greatest(momentAfter(before.off_since ?? clock.now(), -MARGIN_MS), before.created_at),
    missed_until: momentAfter(clock.now(), MARGIN_MS),
  }
}

const NO_TRIALS = { disabled_reason: null, trial_at: null }
