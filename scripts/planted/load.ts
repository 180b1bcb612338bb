import type { Plant } from './plant.ts'

const KERNEL = 'core/src/kernel'
const LOAD = 'core/src/modules/load'
const figures = [`${LOAD}/load.test.ts`]
const windows = [`${LOAD}/windows.test.ts`]
const throttle = [`${LOAD}/throttle.test.ts`]

/** What each tenant costs, and what holds one back. */
export const plants: readonly Plant[] = [
  {
    guard: 'A process tells no more tenants apart than it has memory for',
    file: `${KERNEL}/load/meter.ts`,
    find: 'if (tenants.size >= most) {',
    replace: 'if (tenants.size >= Number.MAX_SAFE_INTEGER) {',
    tests: [`${KERNEL}/load/meter.test.ts`],
  },
  {
    guard: 'The load of what operators ask is no tenant’s',
    file: `${KERNEL}/load/answers.ts`,
    find: '(route && operatorRolesOf(route.access) !== null)',
    replace: '(route && false)',
    tests: figures,
  },
  {
    guard: 'Bytes of a connection count for the tenant that sent them',
    file: `${KERNEL}/load/answers.ts`,
    find: '  countedOf.set(socket, total)\n',
    replace: '',
    tests: figures,
  },
  {
    guard: 'Who waits for a connection of the database is not said to use it',
    file: `${KERNEL}/db/database.ts`,
    find: '    const client = await pools[scope.role].connect().catch(noteAndThrow)\n    let isOpen = false\n    let lost: Error | undefined\n    const cost = new Cost(noteFailure)\n',
    replace:
      '    const cost = new Cost(noteFailure)\n    cost.begin()\n    const client = await pools[scope.role].connect().catch(noteAndThrow)\n    let isOpen = false\n    let lost: Error | undefined\n',
    tests: figures,
  },
  {
    guard: 'Ids that nobody has fill no table',
    file: `${LOAD}/writer.ts`,
    find: 'known.has(tenant_id) || tenant_id === OTHERS',
    replace: 'known.size >= 0',
    tests: figures,
  },
  {
    guard: 'Figures that could not be written are written later',
    file: `${LOAD}/writer.ts`,
    find: '        if (!isMaybeDone(error)) core.load.putBack(taken)\n',
    replace: '',
    tests: windows,
  },
  {
    guard: 'Figures that may have been written are not written again',
    file: `${LOAD}/writer.ts`,
    find: 'if (!isMaybeDone(error)) core',
    replace: 'core',
    tests: windows,
  },
  {
    guard: 'What leaves the window of a day leaves its sums',
    file: `${LOAD}/queries.ts`,
    find: "combined('t', '-', 'o')",
    replace: "combined('t', '+', 'o')",
    tests: windows,
  },
  {
    guard: 'Minutes that a wrong clock wrote stay no longer than others',
    file: `${LOAD}/queries.ts`,
    find: ' or starts_at > ',
    replace: ' and starts_at < ',
    tests: windows,
  },
  {
    guard: 'No tenant sees what tenants cost',
    file: `${LOAD}/migrations/0001.sql`,
    find: "select tenantry.global_table('load_totals', 'what all tenants cost is for who runs the installation, and for no tenant', app_may => '{}');",
    replace:
      "select tenantry.global_table('load_totals', 'what all tenants cost is for who runs the installation, and for no tenant', app_may => '{select}');",
    tests: ['core/test/grants.test.ts'],
  },
  {
    guard: 'A throttle holds in every process at once',
    file: `${LOAD}/throttle.ts`,
    find: '  await outsideTenants(ctx).emit(tenantThrottledByOperator, told)\n  await ctx.forget({ tenantId: tenant.id })\n',
    replace: '  await outsideTenants(ctx).emit(tenantThrottledByOperator, told)\n',
    tests: throttle,
  },
  {
    guard: 'A throttle is over at its time',
    file: `${KERNEL}/access/throttles.ts`,
    find: 'throttle.until > clock.now()) ? throttle : null',
    replace: 'throttle.until !== clock.now()) ? throttle : null',
    tests: throttle,
  },
  {
    guard: 'What is remembered of a throttle ends with it',
    file: `${KERNEL}/access/standing.ts`,
    find: ', changesAtMs ?? Infinity)',
    replace: ')',
    tests: throttle,
  },
  {
    guard: 'A throttle lets nothing through that the plan does not',
    file: `${KERNEL}/access/throttles.ts`,
    find: 'Math.min(planned, requestsPerMinute)',
    replace: 'requestsPerMinute + 0 * planned',
    tests: throttle,
  },
  {
    guard: 'Operators are held to nothing that their own tenant is held to',
    file: `${KERNEL}/rates/rules.ts`,
    find: "  if (operatorRolesOf(route.access) !== null) return ['user', 'key', ...own]\n",
    replace: '',
    tests: throttle,
  },
  {
    guard: 'Of several throttles at once each record tells what it found',
    file: `${LOAD}/throttle.ts`,
    find: 'import { lockTenantIfThere, type',
    replace: 'import { findTenant as lockTenantIfThere, type',
    tests: throttle,
  },
  {
    guard: 'Jobs of a throttled tenant run one at a time',
    file: `${KERNEL}/jobs/run.ts`,
    find: 'return isThrottled ? runThrottled(',
    replace: 'return isThrottled && core.stopping.aborted ? runThrottled(',
    tests: [`${LOAD}/throttled-jobs.test.ts`],
  },
  {
    guard: 'Jobs of a throttled tenant do not keep those of the other kind waiting to the end',
    file: `${KERNEL}/jobs/throttled.ts`,
    find: 'if (!isAwaited) return more',
    replace: 'if (tenantId) return more',
    tests: [`${LOAD}/throttled-jobs.test.ts`],
  },
]
