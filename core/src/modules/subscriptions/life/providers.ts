import type { Ctx, Declared } from '#kernel'
import type { Charge } from '../table.ts'

/** Money to collect from a tenant. */
export interface Collection extends Charge {
  tenantId: string
  planCode: string
  /** The provider's reference of the payment method. */
  reference: string | null
}

/**
 * Collects money with payment methods that the provider stores itself; the core has masked data and a reference. A
 * module brings one as its `payments`.
 */
export interface PaymentProvider {
  /** Stored with each payment method: `stripe`. `manual` is built in. */
  readonly name: string
  /**
   * Collects the money. Runs in a job outside of any transaction, at least once: `collection.key` is the same each
   * time, so pass it on as the provider's idempotency key. `pending`: the result is reported later by `settleCharge`.
   * Throw for temporary failures such as an unreachable network: it is retried for some hours.
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
