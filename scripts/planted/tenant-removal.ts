import type { Plant } from './plant.ts'

const REMOVAL = 'core/src/modules/tenant-removal'
const life = [`${REMOVAL}/tenant-removal.test.ts`]
const purge = [`${REMOVAL}/purge.test.ts`]
const bounds = [`${REMOVAL}/bounds.test.ts`]
const markers = [`${REMOVAL}/markers.test.ts`]

/** Faults in how tenants end. */
export const plants: Plant[] = [
  {
    guard: 'A tenant is removed thirty days after it was marked, by the clock of the database',
    file: `${REMOVAL}/migrations/0001.sql`,
    find: "r.begun_at is not null and r.marked_at <= now() - interval '30 days'",
    replace: 'r.begun_at is not null',
    tests: bounds,
  },
  {
    guard: 'Rows of a tenant that is not deleted go through no door',
    file: `${REMOVAL}/migrations/0001.sql`,
    find: 'if is_deleted is not true then',
    replace: 'if is_deleted is null then',
    tests: bounds,
  },
  {
    guard: 'The removal of a tenant holds its row, so that nobody brings it back meanwhile',
    file: `${REMOVAL}/migrations/0001.sql`,
    find: 'where id = %L for no key update',
    replace: 'where id = %L',
    tests: purge,
  },
  {
    guard: 'No role says when a tenant was marked to be removed',
    file: `${REMOVAL}/migrations/0001.sql`,
    find: "'insert (tenant_id, requested_at,",
    replace: "'insert (tenant_id, marked_at, requested_at,",
    tests: bounds,
  },
  {
    guard: 'A tenant is not gone while any table has a row of it',
    file: `${REMOVAL}/migrations/0001.sql`,
    find: '    if is_there then',
    replace: '    if is_there is null then',
    tests: purge,
  },
  {
    guard: 'A clock that is ahead begins no removal',
    file: `${REMOVAL}/queries.ts`,
    find: " and marked_at <= now() - interval '30 days'",
    replace: '',
    tests: life,
  },
  {
    guard: 'Who begins a removal and who undoes it wait for each other',
    file: `${REMOVAL}/operations.ts`,
    find: 'if (removal.begun_at !== null) throw conflict',
    replace: 'if (removal.begun_at === undefined) throw conflict',
    tests: purge,
  },
  {
    guard: 'Whoever has lost a removal to another process does nothing more',
    file: `${REMOVAL}/queries.ts`,
    find: "    .where('tenant_id', '=', tenant_id)\n    .where('claimed_by', '=', claimed_by)\n    .executeTakeFirstOrThrow()",
    replace: "    .where('tenant_id', '=', tenant_id)\n    .executeTakeFirstOrThrow()",
    tests: purge,
  },
  {
    guard: 'Nothing is removed while a table names tenants and no module says what becomes of that',
    file: `${REMOVAL}/purge/known.ts`,
    find: 'if (unknown.length > 0)',
    replace: 'if (unknown.length > 1_000)',
    tests: bounds,
  },
  {
    guard: 'Nothing is removed while files are in a storage that nobody describes',
    file: `${REMOVAL}/purge/objects.ts`,
    find: 'for (const backend of used) ctx.storages.of(backend)',
    replace: '',
    tests: bounds,
  },
  {
    guard: 'What came into a storage during a removal goes too',
    file: `${REMOVAL}/purge/objects.ts`,
    find: 'if (late.objects === 0) continue',
    replace: 'if (late.objects >= 0) continue',
    tests: purge,
  },
  {
    guard: 'An account of somebody who has a password stays',
    file: `${REMOVAL}/purge/people.ts`,
    find: 'for (const id of ids) if (!used.has(id)) await',
    replace: 'for (const id of ids) await',
    tests: bounds,
  },
  {
    guard: 'An account that a removed tenant alone knew of goes with it',
    file: `${REMOVAL}/purge/people.ts`,
    find: 'if (!isUsed && (await deleteUnusedUser(tx, id)))',
    replace: 'if (id === null)',
    tests: bounds,
  },
  {
    guard: 'Where an announcement had come to does not name a removed tenant',
    file: 'core/src/modules/notifications/announcements/announcement-queries.ts',
    find: 'nullif(position,',
    replace: 'coalesce(position,',
    tests: markers,
  },
  {
    guard: 'The logo of a removed tenant goes',
    file: `${REMOVAL}/purge/carry-out.ts`,
    find: '  await removeLogo(run)\n',
    replace: '',
    tests: markers,
  },
  {
    guard: 'A certificate that was changed is not valid',
    file: `${REMOVAL}/certificates.ts`,
    find: 'sha256(content).equals(hash) && ',
    replace: '',
    tests: bounds,
  },
  {
    guard: 'No job of a deleted tenant begins',
    file: 'core/src/kernel/jobs/run.ts',
    find: 'const tasks = await tasksNow(core, tenantId)',
    replace: 'const tasks: readonly string[] | null = await tasksNow(core, null)',
    tests: life,
  },
  {
    guard: 'Only what may runs while its tenant rests',
    file: 'core/src/kernel/jobs/queries.ts',
    find: '      .where(begins)\n',
    replace: '',
    tests: life,
  },
  {
    guard: 'Nobody is woken for a tenant at rest',
    file: 'core/src/kernel/jobs/worker.ts',
    find: '(tenant_id <> all($2::uuid[]) or task = any($3::text[]))',
    replace: '(tenant_id <> all($2::uuid[]) or task = any($3::text[]) or true)',
    tests: life,
  },
  {
    guard: 'Sweeps pass over tenants at rest',
    file: 'core/src/kernel/jobs/every-tenant.ts',
    find: 'if (!resting.has(tenant.tenant_id)) await',
    replace: 'await',
    tests: life,
  },
  {
    guard: 'A link to an export ends when its operator may export tenants no more',
    file: 'core/src/modules/tenant-exports/links.ts',
    find: "if (!rolesOfOperator(user).some((role) => role === 'operations' || role === 'all')) throw notFound()",
    replace: '',
    tests: ['core/src/modules/admin/tenant-export.test.ts'],
  },
  {
    guard: 'Nothing is exported of a tenant whose data is being removed',
    file: 'core/src/modules/admin/tenant-export.ts',
    find: '        await requireWhole(ctx)\n',
    replace: '',
    tests: ['core/src/modules/admin/tenant-export.test.ts'],
  },
]
