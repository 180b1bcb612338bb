import type { Plant } from './plant.ts'

const EXPORTS = 'core/src/modules/tenant-exports'
const IMPORT = `${EXPORTS}/import`
const content = [`${EXPORTS}/tenant-exports.test.ts`]
const refusals = [`${IMPORT}/refused.test.ts`]

/** Faults in exports and imports of tenants. */
export const plants: Plant[] = [
  {
    guard: 'A column that a module leaves out of exports is in none',
    file: `${EXPORTS}/content/tables.ts`,
    find: 'columns: columns.filter((column) => !without.includes(column.name)), without',
    replace: 'columns, without',
    tests: content,
  },
  {
    guard: 'A table of no installed module is in no export',
    file: `${EXPORTS}/content/tables.ts`,
    find: "if (!version) leftOut.push({ name: shape.name, reason: 'it belongs to no module that is installed' })",
    replace: "if (!version) tables.push({ ...shape, module: '', version: 0, ...pickColumns(shape, 'whole') })",
    tests: [`${EXPORTS}/selection.test.ts`],
  },
  {
    guard: 'A column to leave out that is not there ends the export',
    file: `${EXPORTS}/content/tables.ts`,
    find: 'if (unknown !== undefined) throw',
    replace: 'if (unknown === null) throw',
    tests: [`${EXPORTS}/selection.test.ts`],
  },
  {
    guard: 'A table that requests may not read is in no export, and ends none',
    file: `${EXPORTS}/content/write.ts`,
    find: '!unreadable.includes(name)',
    replace: 'name.length > 0',
    tests: [`${EXPORTS}/selection.test.ts`],
  },
  {
    guard: 'Of people who are in the tenant no more, an export says nothing but their id',
    file: `${EXPORTS}/content/content-queries.ts`,
    find: 'case when m.id is null',
    replace: 'case when u.id is null',
    tests: content,
  },
  {
    guard: 'A file that no scanner has found clean leaves in no export',
    file: `${EXPORTS}/content/files.ts`,
    find: "if (stored.scan_status !== 'none' && stored.scan_status !== 'clean') return without('withheld')",
    replace: '',
    tests: content,
  },
  {
    guard: 'A file of other bytes than were uploaded is not called whole',
    file: `${EXPORTS}/content/files.ts`,
    find: 'written.bytes === size && written.sha256 === sha256',
    replace: 'written.bytes >= 0',
    tests: content,
  },
  {
    guard: 'A link to an export ends when its person is no owner any more',
    file: `${EXPORTS}/links.ts`,
    find: "if (!(await onBehalfOf(ctx, personId)).can('tenant.export')) throw notFound()",
    replace: '',
    tests: content,
  },
  {
    guard: 'A link to an export ends when its person is disabled',
    file: `${EXPORTS}/links.ts`,
    find: "if (member?.status !== 'active' || user?.status !== 'active') throw notFound()",
    replace: '',
    tests: content,
  },
  {
    guard: 'Nothing of a suspended tenant is downloaded by a link to its export',
    file: `${EXPORTS}/links.ts`,
    find: "tenant?.status !== 'active' || !row",
    replace: '!row',
    tests: content,
  },
  {
    guard: 'All rows of an export are of one moment',
    file: 'core/src/kernel/db/snapshot.ts',
    find: 'begin isolation level repeatable read read only',
    replace: 'begin isolation level read committed read only',
    tests: content,
  },
  {
    guard: 'Whoever asks while an export is being written gets that one',
    file: `${EXPORTS}/operations.ts`,
    find: 'if (open) return { job_id: open.id }',
    replace: 'if (open && attempt > TRIES) return { job_id: open.id }',
    tests: [`${EXPORTS}/races.test.ts`],
  },
  {
    guard: 'An export that cannot be written is told to have failed',
    file: `${EXPORTS}/jobs.ts`,
    find: 'await ctx.emit(exportFailed, { before: recordExport(row), after: recordExport(after) })',
    replace: 'recordExport(after)',
    tests: [`${EXPORTS}/crash.test.ts`],
  },
  {
    guard: 'No import writes a row of another tenant',
    file: `${IMPORT}/import-rows.ts`,
    find: 'if (inserted !== lines.length) throw',
    replace: 'if (inserted > lines.length) throw',
    tests: refusals,
  },
  {
    guard: 'An import compares every entry with its checksum before it writes anything',
    file: `${IMPORT}/verify.ts`,
    find: 'if (found.sha256 !== sha256) throw',
    replace: 'if (found.sha256 === undefined) throw',
    tests: refusals,
  },
  {
    guard: 'A tenant that is being imported lets nobody in',
    file: `${IMPORT}/import-tenant.ts`,
    find: "anew: () => ({ status: 'suspended', slug })",
    replace: 'anew: () => ({ slug })',
    tests: [`${IMPORT}/interrupted.test.ts`],
  },
  {
    guard: 'Each part of an import is written once',
    file: `${IMPORT}/import-queries.ts`,
    find: ".where('lines_done', '=', lines_done)",
    replace: '',
    tests: [`${IMPORT}/interrupted.test.ts`],
  },
  {
    guard: 'An interrupted import goes on with no other export',
    file: `${IMPORT}/import-tenant.ts`,
    find: 'if (rest && rest.manifest_sha256 !== sum)',
    replace: 'if (rest && rest.manifest_sha256 === null)',
    tests: [`${IMPORT}/interrupted.test.ts`, ...refusals],
  },
  {
    guard: 'An import reads no table that is never exported',
    file: `${IMPORT}/read-manifest.ts`,
    find: 'if (!here) throw',
    replace: "if (!here && name === 'unknown') throw",
    tests: refusals,
  },
  {
    guard: 'An import reads nothing that a newer version exported',
    file: `${IMPORT}/read-manifest.ts`,
    find: 'if (told.schema_version > here.version)',
    replace: 'if (told.schema_version > 1_000)',
    tests: refusals,
  },
  {
    guard: 'No entry of an export is there twice',
    file: `${IMPORT}/open-archive.ts`,
    find: "if (known.has(name)) return 'is there twice'",
    replace: '',
    tests: refusals,
  },
  {
    guard: 'A ZIP file that says it holds absurdly much is not taken apart',
    file: `${IMPORT}/open-archive.ts`,
    find: 'bytes > LARGE_BYTES && bytes > MOST_TIMES * packed',
    replace: 'bytes < 0',
    tests: refusals,
  },
]
