import { at, type Ctx, type FieldProblem, invalidRequest } from '#kernel'
import type { PaymentMethodPatch } from '../schema.ts'
import type { PaymentMethod } from '../table.ts'
import { apply, enqueueCollection, lockState } from './lifecycle.ts'
import { MANUAL, type State } from './states.ts'

/** A payment method that a provider keeps. */
export interface AttachedPaymentMethod {
  provider: string
  /** The provider's reference, passed to it with each collection and shown to nobody. */
  reference: string
  method: PaymentMethod
}

/**
 * Sets the payment method or changes fields of it, without checking that it works. Throws 400 for anything that looks
 * like a whole card or account number.
 */
export async function changePaymentMethod(ctx: Ctx, patch: PaymentMethodPatch): Promise<State> {
  const state = await lockState(ctx)
  const { type, label, last4 = null, expires = null } = { ...state.payment_method, ...patch }
  const problems = unmasked(patch)
  if (type === undefined) problems.push(at('type', 'is required for the first payment method'))
  if (label === undefined) problems.push(at('label', 'is required for the first payment method'))
  if (type === undefined || label === undefined || problems.length > 0) throw invalidRequest({ errors: problems })
  const method = { type, label, last4, expires }
  return apply(ctx, state, { name: 'payment_method_set', method, provider: MANUAL, reference: null })
}

/**
 * Sets a payment method that a provider keeps, in a transaction of the tenant: for the module of the provider. Collects
 * what is due. Throws 400 as `changePaymentMethod` does.
 */
export async function attachPaymentMethod(ctx: Ctx, attached: AttachedPaymentMethod): Promise<State> {
  const problems = unmasked(attached.method)
  if (problems.length > 0) throw invalidRequest({ errors: problems })
  const state = await apply(ctx, await lockState(ctx), { name: 'payment_method_set', ...attached })
  if (state.status === 'past_due') await enqueueCollection(ctx, state)
  return state
}

/** A `check` for routes: the same for an unvalidated body, so that its problems are in the same answer as others. */
export function checkMasked(body: Readonly<Record<string, unknown>>): FieldProblem[] {
  const texts = Object.entries(body).filter((entry): entry is [string, string] => typeof entry[1] === 'string')
  return unmasked(Object.fromEntries(texts))
}

/** Fields with more consecutive digits than a masked number has, in any spelling. */
function unmasked(fields: Partial<PaymentMethod> | Record<string, string>): FieldProblem[] {
  return Object.entries(fields)
    .filter(([, text]) => typeof text === 'string' && LONG_NUMBER.test(text.normalize('NFKC')))
    .map(([name]) => at(name, 'looks like a whole number; give the last four digits at most'))
}

// The shortest card numbers have 12 digits.
const LONG_NUMBER = /(?:\p{Nd}[^\p{L}\p{Nd}]*){12}/u
