import type { Plant } from './plant.ts'

const AUTH = 'core/src/modules/auth'
const SUBSCRIPTIONS = 'core/src/modules/subscriptions'
const lockout = { file: `${AUTH}/sign-in/lockout.ts`, tests: [`${AUTH}/sign-in/attacks.test.ts`] }
const failures = { file: `${AUTH}/sign-in/failure-queries.ts`, tests: [`${AUTH}/sign-in/attacks.test.ts`] }
const addresses = {
  file: 'core/src/kernel/addresses/addresses.ts',
  tests: ['core/src/kernel/addresses/addresses.test.ts'],
}
const passwords = [`${AUTH}/passwords/password-check.test.ts`]
const plans = [`${SUBSCRIPTIONS}/life/plan-change.test.ts`]

export const plants: Plant[] = [
  {
    guard: 'A password drawn at random passes, whatever its length and alphabet',
    file: `${AUTH}/passwords/guessability.ts`,
    find: 'length * CHARACTER_BITS - MARGIN_BITS',
    replace: 'length * CHARACTER_BITS',
    tests: passwords,
  },
  {
    guard: 'A password of runs, walks on the keyboard or repetitions is refused',
    file: `${AUTH}/passwords/weak-passwords.ts`,
    find: 'return isWord || isPattern(password) || isPattern(interleaved(password))',
    replace: 'return isWord',
    tests: passwords,
  },
  {
    guard: 'A password that many people use is refused with digits and signs around it',
    file: `${AUTH}/passwords/weak-passwords.ts`,
    find: '[form, bare, unitOf(bare)].some(isListed) || isPaddedWord(form)',
    replace: '[form, bare, unitOf(bare)].some(isListed)',
    tests: passwords,
  },
  {
    guard: 'A password of the name that people know the product by is refused',
    file: `${AUTH}/passwords/new-passwords.ts`,
    find: '[...context, ...namesOfProduct(core)]',
    replace: '[...context]',
    tests: [`${AUTH}/passwords/hash.test.ts`],
  },
  {
    guard: 'What others do elsewhere does not lock out a device that has signed in before',
    ...lockout,
    find: 'if (isKnown)\n',
    replace: 'if (isKnown && false)\n',
  },
  {
    guard: 'What others do elsewhere does not stop a live session',
    ...lockout,
    find: 'sessionId: ctx.principal?.sessionId ?? null',
    replace: 'sessionId: null',
  },
  {
    guard: 'Ten failures at an account from one place stop that place',
    ...lockout,
    find: 'const PLACE_LIMIT = 10\n',
    replace: 'const PLACE_LIMIT = 1_000\n',
  },
  {
    guard: 'Of any number of simultaneous guesses from one place ten learn that they were wrong',
    ...lockout,
    find: 'stops.includes(row.key) && row.failures > limitOf(ctx, row.key)',
    replace: 'false',
  },
  {
    guard: 'A hundred failures stop an address, whatever the accounts',
    ...lockout,
    find: 'const ADDRESS_LIMIT = 100\n',
    replace: 'const ADDRESS_LIMIT = 100_000\n',
  },
  {
    guard: 'A right password waits its turn while an account is being guessed at',
    ...lockout,
    find: 'if (row.key === delays) return waitOf(ctx, row)',
    replace: 'if (row.key === delays) return []',
  },
  {
    guard: 'An account is guessed at less than a hundred times in 24 hours, however many networks take part',
    ...lockout,
    find: 'longestMs: 20 * MINUTES',
    replace: 'longestMs: 10 * MINUTES',
  },
  {
    guard: 'Of any number of simultaneous guesses from as many places twenty learn that they were wrong',
    ...failures,
    find: '(login_failures.next_at is null or',
    replace: '(true or login_failures.next_at is null or',
  },
  {
    guard: 'A success takes back only the failures of its own place',
    ...lockout,
    find: 'if (failures > 0) await updateFailuresTaken(ctx.tx, accountKey(email), { failures, free: delayOf(ctx).free })',
    replace: 'await clearAccount(ctx, email)',
  },
  {
    guard: 'What a clock far ahead has left locks nobody out',
    ...lockout,
    find: 'return row.window_ends_at > now && row.window_ends_at <= latest',
    replace: 'return row.window_ends_at > now || row.window_ends_at > latest',
  },
  {
    guard: 'The owner of an account that is guessed at is told once',
    ...lockout,
    find: 'row.failures === delay.free',
    replace: 'row.failures >= delay.free',
  },
  {
    guard: 'A reset by mail lifts what is counted against an account',
    file: `${AUTH}/recovery/reset-password.ts`,
    find: '  await clearAccount(ctx, user.email)\n',
    replace: '',
    tests: [`${AUTH}/recovery/reset-password.test.ts`],
  },
  {
    guard: 'What is no address ends the walk through X-Forwarded-For',
    file: 'core/src/kernel/http/address.ts',
    find: 'if (!address) return client',
    replace: 'if (!address) continue',
    tests: addresses.tests,
  },
  {
    guard: 'X-Forwarded-For is believed from trusted proxies only',
    file: 'core/src/kernel/http/address.ts',
    find: ' || !isTrusted(socket)) return socket',
    replace: ') return socket',
    tests: addresses.tests,
  },
  {
    guard: 'IPv4 in its IPv6 clothes is the IPv4 address',
    ...addresses,
    find: 'if (value >> 32n !== MAPPED) return',
    replace: 'if (value >= 0n) return',
  },
  {
    guard: 'A list of networks of one version holds nothing of the other',
    file: 'core/src/kernel/addresses/networks.ts',
    find: 'each.version === version && ',
    replace: 'version > 0 && ',
    tests: ['core/src/kernel/addresses/networks.test.ts'],
  },
  {
    guard: 'A paid year is not given up for a month unless that is asked for',
    file: `${SUBSCRIPTIONS}/plans.ts`,
    find: "  if (status === 'active' && MONTHS[to.interval] < MONTHS[from.interval]) return true\n",
    replace: "  if (status === 'canceled') return true\n",
    tests: plans,
  },
  {
    guard: 'Amounts in different currencies are neither compared nor set off',
    file: `${SUBSCRIPTIONS}/plans.ts`,
    find: 'plan.currency === to.currency ? Math.min(unused, wanted) : 0',
    replace: 'Math.min(unused, wanted)',
    tests: plans,
  },
  {
    guard: 'Choosing another plan takes a waiting cancellation back',
    file: `${SUBSCRIPTIONS}/life/states.ts`,
    find: 'takesCancellationBack(state, plan) ? withoutCancellation(state) : state',
    replace: 'state',
    tests: plans,
  },
  {
    guard: 'The preview allows nothing that would be refused',
    file: `${SUBSCRIPTIONS}/life/plan-change.ts`,
    find: 'exceeds.length === 0 && after !== null',
    replace: 'exceeds.length === 0',
    tests: plans,
  },
  {
    guard: 'A trial is brought back only before its end',
    file: `${SUBSCRIPTIONS}/life/states.ts`,
    find: 'isOnTrial(state) && state.current_period_end > now',
    replace: 'isOnTrial(state)',
    tests: plans,
  },
  {
    guard: 'A person has as many trials as TRIALS_PER_PERSON says, however many tenants are founded at once',
    file: `${SUBSCRIPTIONS}/queries.ts`,
    find: "        .where('person_trials.trials', '<', most),\n",
    replace: "        .where('person_trials.trials', '<', most + 99),\n",
    tests: [`${SUBSCRIPTIONS}/life/trial.test.ts`],
  },
]
