import { at, type Ctx, type FieldProblem, invalidRequest } from '#kernel'
import { apply, enqueueCollection, lockState } from './lifecycle.ts'
import type { PaymentMethodPatch } from './schema.ts'
import { MANUAL, type State } from './states.ts'
import type { PaymentMethod } from './table.ts'

/** A payment method that a provider keeps. */
export interface AttachedPaymentMethod {
  provider: string
  /** What the provider knows it by; handed back to it with each collection, shown to nobody. */
  reference: string
  method: PaymentMethod
}

/**
 * Puts a payment method on file, or changes fields of the one there; it is believed without being tried. Throws 400 for
 * anything that looks like a whole card or account number.
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
 * Puts a payment method on file that a provider keeps, in a transaction of its tenant: for the module of the provider.
 * What is due is collected with it. Throws 400 as `changePaymentMethod` does.
 */
export async function attachPaymentMethod(ctx: Ctx, attached: AttachedPaymentMethod): Promise<State> {
  const problems = unmasked(attached.method)
  if (problems.length > 0) throw invalidRequest({ errors: problems })
  const state = await apply(ctx, await lockState(ctx), { name: 'payment_method_set', ...attached })
  if (state.status === 'past_due') await enqueueCollection(ctx, state)
  return state
}

/** The same of a body of which nothing is known yet, to be told with whatever else is wrong with it. */
export function checkMasked(body: Readonly<Record<string, unknown>>): FieldProblem[] {
  const texts = Object.entries(body).filter((entry): entry is [string, string] => typeof entry[1] === 'string')
  return unmasked(Object.fromEntries(texts))
}

/** The fields that hold more digits in a row than a masked number shows, however they are spaced or written. */
function unmasked(fields: Partial<PaymentMethod> | Record<string, string>): FieldProblem[] {
  return Object.entries(fields)
    .filter(([, text]) => typeof text === 'string' && LONG_NUMBER.test(text.normalize('NFKC')))
    .map(([name]) => at(name, 'looks like a whole number; give the last four digits at most'))
}

// The shortest card numbers have 12 digits.
const LONG_NUMBER = /(?:\p{Nd}[^\p{L}\p{Nd}]*){12}/u
