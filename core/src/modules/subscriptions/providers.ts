import type { Ctx, Declared } from '#kernel'
import type { Charge } from './table.ts'

/** Money to collect from a tenant. */
export interface Collection extends Charge {
  tenantId: string
  planCode: string
  /** What the provider gave for the payment method when it was attached. */
  reference: string | null
}

/**
 * Collects money with payment methods that it keeps itself: the core holds masked data and a reference. A module brings
 * one as its `payments`.
 */
export interface PaymentProvider {
  /** Kept with each payment method: `stripe`. `manual` is the built-in one. */
  readonly name: string
  /**
   * Asks for the money. Runs in a job outside of any transaction, at least once: `collection.key` is the same each time,
   * so hand it on as the provider's own idempotency key. `pending`: the answer comes later, by `settleCharge`. Throw for
   * what may pass (a network that is down): it is tried again for some hours.
   */
  collect(ctx: Ctx, collection: Collection): Promise<'paid' | 'declined' | 'pending'>
}

declare module '#kernel' {
  interface Module {
    /** A payment provider that the module brings. */
    readonly payments?: PaymentProvider
  }
}

/** The provider of that name. Throws when no module of the core brings it. */
export function providerNamed({ registry }: Declared, name: string): PaymentProvider {
  const provider = registry.modules.find(({ payments }) => payments?.name === name)?.payments
  if (!provider) throw new Error(`The payment provider ${name} belongs to no module of this core`)
  return provider
}
