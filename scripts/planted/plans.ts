import type { Plant } from './plant.ts'

const plans = ['core/src/modules/admin/plans/plans.test.ts']
const overrides = ['core/src/modules/admin/rollouts/overrides.test.ts']
const terms = ['core/src/modules/subscriptions/terms/terms.test.ts']
const audit = ['core/src/modules/admin/audit/audit.test.ts']

export const plants: Plant[] = [
  {
    guard: 'A plan costs what it cost when it was chosen, whoever changes it at that moment',
    file: 'core/src/modules/subscriptions/life/plan-change.ts',
    find: 'Promise.all([lockPlanAsItIs(tx, id), find(tx, id)])',
    replace: 'Promise.all([tx, find(tx, id)])',
    tests: plans,
  },
  {
    guard: 'What a plan costs does not change while somebody has it, or is to have it',
    file: 'core/src/modules/subscriptions/catalogue/plans.ts',
    find: "const FIXED = ['code', 'price_cents', 'currency', 'interval'] as const",
    replace: "const FIXED = ['code', 'currency', 'interval'] as const",
    tests: plans,
  },
  {
    guard: 'A plan that tenants begin with stays one that they can begin with',
    file: 'core/src/modules/subscriptions/catalogue/plans.ts',
    find: '  requireBeginning(next, row)\n',
    replace: '',
    tests: plans,
  },
  {
    guard: 'The code of a plan that a module names stays',
    file: 'core/src/modules/subscriptions/catalogue/plans.ts',
    find: '  if (next.code !== row.code && isNamed(ctx, row.code)) throw conflict({ detail: NAMED })\n',
    replace: '',
    tests: plans,
  },
  {
    guard: 'Requests per minute that a plan allows count from the next request on',
    file: 'core/src/modules/subscriptions/catalogue/plans.ts',
    find: '  await forgetRates(ctx, ...Object.keys(patch.limits ?? {}))\n',
    replace: '',
    tests: plans,
  },
  {
    guard: 'Overrides are for billing, whoever may rename the tenant',
    file: 'core/src/modules/admin/acts.ts',
    find: "  if (isGiven) ctx.requireOperator('billing')\n",
    replace: '',
    tests: overrides,
  },
  {
    guard: 'An override counts from the next request on, also where requests are counted',
    file: 'core/src/modules/subscriptions/terms/overrides.ts',
    find: '  await ctx.forget({ tenantId: ctx.tenantId })\n',
    replace: '',
    tests: overrides,
  },
  {
    guard: 'Requests per minute are not remembered beyond the end of an override',
    file: 'core/src/kernel/access/standing.ts',
    find: '[planned.until, throttle?.until ?? null]',
    replace: '[throttle?.until ?? null]',
    tests: overrides,
  },
  {
    guard: 'A change to less is judged by what the tenant may have when it takes effect',
    file: 'core/src/modules/subscriptions/limits/usage.ts',
    find: 'giftsOf(state, rollouts, effect.at)',
    replace: 'giftsOf(state, rollouts, ctx.clock.now())',
    tests: overrides,
  },
  {
    guard: 'No request of a tenant gives it more than it has',
    file: 'core/src/modules/subscriptions/migrations/0006.sql',
    find: "'payment_provider, payment_reference, charge, warned_days, next_change_at, updated_at)'",
    replace: "'payment_provider, payment_reference, charge, warned_days, next_change_at, updated_at, limits_override)'",
    tests: overrides,
  },
  {
    guard: 'What is given has ended at the moment until which it holds',
    file: 'core/src/modules/subscriptions/terms/terms.ts',
    find: 'until === null || until > now',
    replace: 'until === null || until >= now',
    tests: terms,
  },
  {
    guard: 'An override of a tenant counts before a rollout',
    file: 'core/src/modules/subscriptions/terms/terms.ts',
    find: "limits[name] = { ...given, by: 'override' }",
    replace: "limits[name] ??= { ...given, by: 'override' }",
    tests: terms,
  },
  {
    guard: 'Each rollout has tenants of its own',
    file: 'core/src/modules/subscriptions/terms/terms.ts',
    find: '  if (share <= 0 || share >= 100) return share > 0\n',
    replace: "  if (share <= 0 || share >= 100) return share > 0\n  name = ''\n",
    tests: terms,
  },
  {
    guard: 'What happened everywhere is for support and operations',
    file: 'core/src/modules/admin/audit/routes.ts',
    find: "access: { operator: ['support', 'operations'] }",
    replace: "access: { operator: ['support', 'operations', 'billing'] }",
    tests: audit,
  },
  {
    guard: 'A page of what happened everywhere passes over nothing that was not looked at',
    file: 'core/src/modules/audit/everywhere/read.ts',
    find: 'if (looked >= enough) return { rows, end: from }',
    replace: 'if (looked >= enough) return { rows, end: null }',
    tests: audit,
  },
  {
    guard: 'A page of what happened everywhere has the newest of all, wherever they stand',
    file: 'core/src/modules/audit/everywhere/read.ts',
    find: 'lists.flat().sort(byIdDescending)',
    replace: 'lists.flat()',
    tests: audit,
  },
  {
    guard: 'An answer is not given again to an operator who no longer has the role that it took',
    file: 'core/src/kernel/access/grounds.ts',
    find: '  for (const role of operatorRoles) ctx.requireOperator(role)\n',
    replace: '',
    tests: ['core/src/modules/operators/operators.test.ts'],
  },
]
