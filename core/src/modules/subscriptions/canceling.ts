import type { Ctx } from '#kernel'
import { apply, lockState } from './lifecycle.ts'
import type { Cancellation } from './schema.ts'
import type { State } from './states.ts'

/** Cancels at the end of the period, or at once: then the tenant can only read from now on. Throws 409 when it has ended. */
export async function cancelSubscription(ctx: Ctx, { at_period_end, reason }: Cancellation): Promise<State> {
  const state = await lockState(ctx)
  return apply(ctx, state, { name: 'canceled', atPeriodEnd: at_period_end, reason: reason ?? null })
}

/**
 * Takes a cancellation back before it takes effect, or begins anew after the end. Throws 409 when there is nothing to
 * take back, or when a payment method is missing.
 */
export async function reactivateSubscription(ctx: Ctx): Promise<State> {
  return apply(ctx, await lockState(ctx), { name: 'reactivated' })
}
