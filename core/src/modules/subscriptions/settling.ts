import { type Deadline, deadlineOf, endOf } from './periods.ts'
import { type State, transition } from './states.ts'

/** One thing that the clock did. */
export interface Step {
  name: Deadline['name']
  before: State
  after: State
}

/**
 * What the clock has made of a subscription by now, all that was missed included, in order; each thing at the moment
 * when it was due, whenever somebody looks.
 */
export function settle(stored: State, now: string): { state: State; steps: Step[] } {
  const steps: Step[] = []
  let state = stored
  for (let due = deadlineOf(state); due && due.at <= now; due = deadlineOf(state)) {
    const after = transition(state, { name: due.name }, due.at)
    // Nobody is warned of what has already come.
    const isTooLate = due.name === 'warned' && (endOf(state)?.at ?? now) <= now
    if (!isTooLate) steps.push({ name: due.name, before: state, after })
    state = after
  }
  return { state, steps }
}
