import type { Plant } from './plant.ts'

const EXPORTS = 'core/src/modules/tenant-exports'
const content = [`${EXPORTS}/tenant-exports.test.ts`]

/** Faults in exports of tenants. */
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
]
