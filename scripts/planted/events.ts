import type { Plant } from './plant.ts'

const EVENTS = 'core/src/modules/events'

export const plants: Plant[] = [
  {
    guard: 'Whoever follows gets events in the order of commits',
    file: `${EVENTS}/queries.ts`,
    find: "'<=', to)\n    .orderBy('position')",
    replace: "'<=', to)\n    .orderBy('id')",
    tests: [`${EVENTS}/feed-races.test.ts`],
  },
  {
    guard: 'A follower that came too late is told so, and passes nothing over',
    file: `${EVENTS}/read-page.ts`,
    find: 'if (!isKept) {',
    replace: 'if (isKept === null) {',
    tests: [`${EVENTS}/cursors.test.ts`],
  },
  {
    guard: 'A cursor from before a restored copy passes nothing over',
    file: `${EVENTS}/read-page.ts`,
    find: 'if (after > head)',
    replace: 'if (after < 0)',
    tests: [`${EVENTS}/cursors.test.ts`],
  },
  {
    guard: 'A cursor is good for its filters alone',
    file: `${EVENTS}/read-page.ts`,
    find: "types === undefined ? ['*'] : readPatterns(types), store_id",
    replace: "'*', store_id",
    tests: [`${EVENTS}/cursors.test.ts`],
  },
  {
    guard: 'A key that was revoked while its request waited is told nothing',
    file: `${EVENTS}/follow.ts`,
    find: 'asker = await asker.proveAgain()',
    replace: 'asker = ctx',
    tests: [`${EVENTS}/waiting.test.ts`],
  },
  {
    guard: 'Whose rights became fewer while a request waited is told no more than they may see now',
    file: `${EVENTS}/queries.ts`,
    find: 'stores === null ? query :',
    replace: 'stores !== undefined ? query :',
    tests: [`${EVENTS}/waiting.test.ts`],
  },
  {
    guard: 'One person or key holds ten waiting requests and no more',
    file: `${EVENTS}/waiters.ts`,
    find: 'own >= MOST_OF_A_CALLER',
    replace: 'own >= MOST',
    tests: [`${EVENTS}/waiting.test.ts`],
  },
  {
    guard: 'What another process publishes wakes whoever waits in this one',
    file: `${EVENTS}/waiters.ts`,
    find: 'if (position > waiter.after) waiter.wake()',
    replace: 'if (position < waiter.after) waiter.wake()',
    tests: [`${EVENTS}/waiting.test.ts`],
  },
]
