import type { Plant } from './plant.ts'

const STORAGE = 'core/src/kernel/storage'
const local = [`${STORAGE}/local.test.ts`]
const faults = [`${STORAGE}/s3-faults.test.ts`]
const bucket = [`${STORAGE}/s3.test.ts`]

export const plants: Plant[] = [
  {
    guard: 'What the disk holds is compared with what was sent',
    file: `${STORAGE}/local-write.ts`,
    find: 'if (!isSame(found, written)) throw new StorageDamaged(key)',
    replace: 'if (found.bytes !== written.bytes) throw new StorageDamaged(key)',
    tests: local,
  },
  {
    guard: 'A disk without room is told apart from other failures',
    file: `${STORAGE}/local-write.ts`,
    find: "['ENOSPC', 'EDQUOT', 'EFBIG']",
    replace: "['ENOSPC', 'EDQUOT']",
    tests: local,
  },
  {
    guard: 'A file that failed leaves nothing on the disk',
    file: `${STORAGE}/local-write.ts`,
    find: '    await rm(path, { force: true })\n',
    replace: '',
    tests: local,
  },
  {
    guard: 'Files beside a folder are listed where their whole keys belong',
    file: `${STORAGE}/local.ts`,
    find: `entry.isDirectory() ? \`\${entry.name}/\` : entry.name`,
    replace: 'entry.name',
    tests: local,
  },
  {
    guard: 'What a bucket holds is compared with what was sent',
    file: `${STORAGE}/s3-write.ts`,
    find: '  if (isSame(found, written) || isOfAnother(Metadata, write)) return\n',
    replace: '  if (found.bytes === written.bytes || isOfAnother(Metadata, write)) return\n',
    tests: faults,
  },
  {
    guard: 'Of two who write one object neither takes the other for damage',
    file: `${STORAGE}/s3-write.ts`,
    find: 'return metadata?.write !== undefined && metadata.write !== write',
    replace: 'return false',
    tests: bucket,
  },
  {
    guard: 'An object that could not be read again does not stay',
    file: `${STORAGE}/s3-write.ts`,
    find: '    await removeOwn(connection, { bucket, key, write })\n',
    replace: '',
    tests: faults,
  },
  {
    guard: 'A bucket that is missing is no missing file',
    file: `${STORAGE}/s3.ts`,
    find: '  await assertBucket({ client, sdk }, bucket)\n',
    replace: '',
    tests: faults,
  },
  {
    guard: 'A bucket that answers with another range is not believed',
    file: `${STORAGE}/s3.ts`,
    find: 'if (range) assertRange(range, ContentRange)',
    replace: '',
    tests: faults,
  },
  {
    guard: 'A list out of order is not merged with rows',
    file: `${STORAGE}/s3.ts`,
    find: 'if (Key <= last)',
    replace: 'if (Key === last)',
    tests: faults,
  },
  {
    guard: 'The signature of an upload covers its type',
    file: `${STORAGE}/s3.ts`,
    find: "          signableHeaders: new Set(['host', 'content-length', 'content-type']),\n",
    replace: "          signableHeaders: new Set(['host', 'content-length']),\n",
    tests: bucket,
  },
  {
    guard: 'An error of a bucket holds nothing of the SDK, which repeats the key and what was signed',
    file: `${STORAGE}/s3-errors.ts`,
    find: 'return new StorageFailed(`The bucket for files',
    replace: 'return error as Error\n  new StorageFailed(`The bucket for files',
    tests: faults,
  },
  {
    guard: 'A quota of the provider that is used up is no room',
    file: `${STORAGE}/s3-errors.ts`,
    find: 'statusOf(error) === 507 || FULL.test(reason)',
    replace: 'statusOf(error) === 507',
    tests: faults,
  },
  {
    guard: 'A copy that is there is compared before it counts',
    file: `${STORAGE}/copy.ts`,
    find: 'if (isSame(original, copy)) return copy',
    replace: 'if (original.bytes === copy.bytes) return copy',
    tests: [`${STORAGE}/copy.test.ts`],
  },
  {
    guard: 'A month of the audit log has one archive, whichever storage it was in',
    file: 'core/src/modules/audit/retention/archive.ts',
    find: '    await removeElsewhere(ctx, key)\n',
    replace: '',
    tests: ['core/src/modules/audit/retention/archive-moved.test.ts'],
  },
]
