import type { Plant } from './plant.ts'

const FILES = 'core/src/modules/files'
const tests = [`${FILES}/move-of.test.ts`]

/** Files of things that change their store. */
export const plants: Plant[] = [
  {
    guard: 'Files go along with a thing to its store, all at once',
    file: `${FILES}/move-of.ts`,
    find: 'await updateStoreOfFiles(tx, tenantId, before, ',
    replace: 'await updateStoreOfFiles(tx, tenantId, before.slice(0, BATCH), ',
    tests,
  },
  {
    guard: 'An upload under way goes along with its thing',
    file: `${FILES}/move-of.ts`,
    find: '  await updateStoreOfUploads(tx, tenantId, owner, { to, now })\n',
    replace: '',
    tests,
  },
  {
    guard: 'A file whose upload ends just behind the move of its thing goes where the thing is',
    file: `${FILES}/move-of.ts`,
    find: '  await ctx.enqueue(moveLate, thing, { runAt: fromNow(ctx.clock, LOOK_AGAIN_MS) })\n',
    replace: '',
    tests,
  },
]
