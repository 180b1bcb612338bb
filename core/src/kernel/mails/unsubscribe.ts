import type { Ctx } from '../context.ts'

/** Mails that somebody can do without: of one kind, to one person, of the tenant whose mail carries it. */
export interface Subscription {
  /** A kind that can be switched off. */
  readonly kind: string
  readonly userId: string
}

/**
 * *Who switches mails off?* Without a module that fills this slot no mail offers it, since the offer would be empty.
 */
export interface Unsubscribers {
  /**
   * Called in a transaction of the tenant whenever somebody used the link of a mail: any number of times, and perhaps years
   * later. A kind, a person or a tenant that is not there any more changes nothing, and is no error.
   */
  unsubscribe(ctx: Ctx, subscription: Subscription): Promise<void>
  /**
   * Whether such mails go to the person no more: they have switched them off, or have left the tenant. Asked in a transaction
   * of the tenant before each attempt at one, and before it is sent once more.
   */
  isEnded(ctx: Ctx, subscription: Subscription): Promise<boolean>
}
