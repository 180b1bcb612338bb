import type { Plant } from './plant.ts'

const UPKEEP = 'core/src/modules/files/upkeep'
const sweep = [`${UPKEEP}/sweep.test.ts`]
const command = ['core/test/files-cli.test.ts']
const trash = ['core/src/modules/files/trash-of.test.ts']

export const plants: Plant[] = [
  {
    guard: 'No object is an orphan that may be about to get its row',
    file: `${UPKEEP}/compare.ts`,
    find: 'timeOfId(id) < this.#oldestMs',
    replace: 'timeOfId(id) > 0',
    tests: sweep,
  },
  {
    guard: 'No object of an upload under way is an orphan',
    file: `${UPKEEP}/sweep-queries.ts`,
    find: 'union all select id, null from file_uploads where',
    replace: 'union all select id, null from file_uploads where false and',
    tests: sweep,
  },
  {
    guard: 'No object is removed whose name nothing here makes',
    file: `${UPKEEP}/compare.ts`,
    find: " && id[14] === '7'",
    replace: '',
    tests: sweep,
  },
  {
    guard: 'Something of another size is not the file',
    file: `${UPKEEP}/compare.ts`,
    find: 'object?.bytes !== file.size',
    replace: '!object',
    tests: sweep,
  },
  {
    guard: 'A file is found in another storage only by its checksum',
    file: `${UPKEEP}/mend.ts`,
    find: 'return isSame(await measure(storage.read(file.storage_path)), known)',
    replace: 'return known.bytes > 0',
    tests: sweep,
  },
  {
    guard: 'A disk that is not mounted makes no file missing',
    file: `${UPKEEP}/sweep.ts`,
    find: 'if (seen.missing > MANY && seen.missing > seen.files / 2) seen.doubtful.push(ABSENT)',
    replace: '',
    tests: sweep,
  },
  {
    guard: 'A database that is not the right one loses no object',
    file: `${UPKEEP}/sweep.ts`,
    find: 'if (seen.orphans > MANY && seen.orphans > seen.objects / 2) seen.doubtful.push(ORPHANS)',
    replace: '',
    tests: sweep,
  },
  {
    guard: 'Nothing is mended before all storages were read to their end',
    file: `${UPKEEP}/sweep.ts`,
    find: 'looks.push([storage, await look(ctx, storage, stopping)])',
    replace: 'looks.push([storage, await look(ctx, storage, stopping).catch(() => ({ ...nothing(), missing: 1 }))])',
    tests: sweep,
  },
  {
    guard: 'A second copy is left alone for a day: it may be moved just now',
    file: `${UPKEEP}/compare.ts`,
    find: 'file.updated_at < dayAgo',
    replace: "file.updated_at < '9'",
    tests: sweep,
  },
  {
    guard: 'A copy goes only where the storage of the row has the file',
    file: `${UPKEEP}/objects.ts`,
    find: 'if (file && !(await isThere(ctx, file))) await putBack(ctx, file, backend)',
    replace: 'if (file && file.size === 0) await putBack(ctx, file, backend)',
    tests: command,
  },
  {
    guard: 'The quota is counted anew while nobody takes any',
    file: 'core/src/modules/subscriptions/limits/limits.ts',
    find: 'await upsertUsage(ctx.tx, counter, { amount: 0, max: null })\n    await updateUsage(ctx.tx, counter, await count())',
    replace: 'await updateUsage(ctx.tx, counter, await count())',
    tests: sweep,
  },
  {
    guard: 'A file that is moved is compared with the checksum of its row',
    file: `${UPKEEP}/move.ts`,
    find: 'if (!isSame(copied, { bytes: file.size, sha256: file.checksum_sha256 }))',
    replace: 'if (copied.bytes !== file.size)',
    tests: command,
  },
  {
    guard: 'Whoever has read the row a moment ago still finds the file where it was',
    file: `${UPKEEP}/move.ts`,
    find: ', { runAt: fromNow(ctx.clock, GRACE_MS) }',
    replace: '',
    tests: command,
  },
  {
    guard: 'No archive of the audit log is written over another one',
    file: 'core/src/modules/audit/retention/move.ts',
    find: '(await to.has(key)) &&',
    replace: 'key === to.backend &&',
    tests: command,
  },
  {
    guard: 'A move that left something where it was does not end with 0',
    file: 'core/src/cli/files-move.ts',
    find: 'return failed > 0 ? 1 : 0',
    replace: 'return 0',
    tests: command,
  },
  {
    guard: 'Files of a deleted store do not stay where nobody sees them',
    file: 'core/src/modules/files/trash-of.ts',
    find: 'await trashAll(ctx, { store_id: resourceId })',
    replace: '',
    tests: trash,
  },
  {
    guard: 'All files of a deleted thing go, however many they are',
    file: 'core/src/modules/files/trash-of.ts',
    find: '  if ((await trashSome(ctx, whose)) === BATCH) await ctx.enqueue(trashMore, whose)\n  // An',
    replace: '  await trashSome(ctx, whose)\n  // An',
    tests: trash,
  },
  {
    guard: 'A file whose upload ends just behind the deletion goes too',
    file: 'core/src/modules/files/trash-of.ts',
    find: 'await ctx.enqueue(trashMore, whose, { runAt: fromNow(ctx.clock, LOOK_AGAIN_MS) })',
    replace: '',
    tests: trash,
  },
]
