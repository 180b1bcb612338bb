import { at, type Declared, type FieldProblem, momentAt } from '#kernel'
import { termsInvalid } from '../errors.ts'
import type { Given } from '../table.ts'
import type { EndingWish } from './schema.ts'
import { inForce } from './terms.ts'

/** What is wrong with a limit that is set: a name that no module declares, or none of what nobody can have none of. */
export function problemOfLimit({ registry }: Declared, name: string, value: number | null): string | null {
  const declared = registry.limits.get(name)
  if (!declared) return 'is no limit that a module declares'
  // Not even to sign in and to leave: who is to be kept out is suspended.
  if (declared.per === 'minute' && value === 0) return 'must be 1 or more: nobody could send any request'
  return null
}

export const problemOfFeature = ({ registry }: Declared, name: string): string | null =>
  registry.features.has(name) ? null : 'is no feature that a module declares'

/** A problem with one field of an object by name; what the caller called it is shortened. */
export const atName = (field: string, name: string, detail: string, inside = ''): FieldProblem =>
  at(`${field}/${escaped(name.slice(0, 100).toWellFormed())}${inside}`, detail)

const escaped = (name: string) => name.replaceAll('~', '~0').replaceAll('/', '~1')

/** Throws 422 `terms_invalid` if there are problems. */
export function refuse(errors: readonly FieldProblem[]): void {
  if (errors.length > 0) throw termsInvalid({ errors: errors.slice(0, 50) })
}

interface Wishes<T extends string | number | boolean | null> {
  field: string
  before: Readonly<Record<string, Given<T>>>
  wishes: Readonly<Record<string, T | EndingWish<T> | null>> | undefined
  now: string
  /** What is wrong with an entry that is set. */
  problemOf: (name: string, value: T) => string | null
}

/** The overrides after a change, without those that have ended; problems go to `errors`. */
export function granted<T extends number | boolean | null>(
  { field, before, wishes = {}, now, problemOf }: Wishes<T>,
  errors: FieldProblem[],
): Record<string, Given<T>> {
  const after = new Map(inForce(before, now))
  for (const [name, wish] of Object.entries(wishes)) {
    const given = readWish(wish)
    // What a module that is gone has left can be taken away.
    const problem = given ? problemOf(name, given.value) : after.has(name) ? null : problemOf(name, null as T) // of its name alone
    if (problem) errors.push(atName(field, name, problem))
    if (!given) after.delete(name)
    else if (given.until !== null && given.until <= now)
      errors.push(atName(field, name, 'has passed already', '/until'))
    else after.set(name, given)
  }
  return Object.fromEntries([...after].sort(([one], [other]) => (one < other ? -1 : 1)))
}

/** Null: an override is taken away. */
function readWish<T>(wish: T | EndingWish<T> | null): Given<T> | null {
  if (wish === null) return null
  if (!isEnding(wish)) return { value: wish, until: null }
  const { value, until = null } = wish
  return { value, until: until === null ? null : momentAt(Date.parse(until)) }
}

const isEnding = <T>(wish: T | EndingWish<T>): wish is EndingWish<T> => typeof wish === 'object' && wish !== null
