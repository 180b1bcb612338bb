import { type Ctx, NO_FAILURES } from '#kernel'
import type { WebhookRow } from './table.ts'

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
    is_active: true,
    ...NO_TRIALS,
    off_since: null,
    told_at: null,
    // What was missed earlier, and not asked for, goes on being missed.
    missed_since: before.missed_since ?? before.off_since,
    missed_until: clock.now(),
  }
}

const NO_TRIALS = { disabled_reason: null, trial_at: null }
