import type { Plant } from './plant.ts'

const AGREES = ['core/src/modules/authz/my-rights-agree.test.ts']
const RIGHTS = ['core/src/modules/authz/my-rights.test.ts']

/** What `authz/me` says of one's rights, and the conditional answer that it is. */
export const plants: Plant[] = [
  {
    guard: 'What one may do leaves out what the plan is in the way of',
    file: 'core/src/modules/authz/my-rights.ts',
    find: '&& !findPlanObstacle(plan, open)',
    replace: '',
    tests: AGREES,
  },
  {
    guard: 'A key is not told that it may do what is for people',
    file: 'core/src/modules/authz/my-rights.ts',
    find: 'routesOpenTo(principal?.userId ?? null, routes)',
    replace: "routesOpenTo('', routes)",
    tests: RIGHTS,
  },
  {
    guard: 'A key that asks why is not told that it may do what is for people',
    file: 'core/src/modules/authz/operations.ts',
    find: 'routesOpenTo(userId, ',
    replace: "routesOpenTo('', ",
    tests: RIGHTS,
  },
  {
    guard: 'What one may do in the tenant is not what one may do in some store',
    file: 'core/src/modules/authz/my-rights.ts',
    find: 'ctx.can(code, storeId) &&',
    replace: 'ctx.storesWith(code)?.length !== 0 &&',
    tests: AGREES,
  },
  {
    guard: 'An ended subscription is in the way of writing alone',
    file: 'core/src/modules/authz/plan.ts',
    find: 'if (!whileInactive && !plan.writable)',
    replace: 'if (!plan.writable)',
    tests: AGREES,
  },
  {
    guard: 'A subscription that has ended counts as ended before that is stored',
    file: 'core/src/modules/subscriptions/limits/limits.ts',
    find: 'const terms = await current(ctx, await findTerms(ctx.tx, ctx.tenantId))\n    const plan',
    replace: 'const terms = await findTerms(ctx.tx, ctx.tenantId)\n    const plan',
    tests: AGREES,
  },
  {
    guard: 'Whoever is barred from the tenant may do nothing',
    file: 'core/src/modules/authz/my-rights.ts',
    find: 'bar ? NOTHING : rightsOf(',
    replace: 'bar === "member_disabled" ? NOTHING : rightsOf(',
    tests: [...AGREES, ...RIGHTS],
  },
  {
    guard: 'The version of what one may do changes with any part of it',
    file: 'core/src/modules/authz/my-rights.ts',
    find: 'update(JSON.stringify(rights))',
    replace: 'update(JSON.stringify(rights.permissions))',
    tests: [...AGREES, ...RIGHTS],
  },
  {
    guard: 'What one may do is not asked of the database once per permission',
    file: 'core/src/modules/authz/my-rights.ts',
    find: 'const version = versionOf(rights)',
    replace: 'for (const _ of rights.permissions) await readPlan(ctx)\n  const version = versionOf(rights)',
    tests: RIGHTS,
  },
  {
    guard: 'A store that the caller may not know of is not found out by what they may do there',
    file: 'core/src/modules/authz/bars.ts',
    find: "if (ctx.can('store.view', storeId)) await getStore(",
    replace: 'await getStore(',
    tests: [...RIGHTS, 'core/src/modules/authz/authz.test.ts'],
  },
  {
    guard: 'Whoever has an answer by its tag is not sent it again',
    file: 'core/src/kernel/http/finish.ts',
    find: "if (serializers.has(304) && isNotModified(answer, headers['if-none-match']))",
    replace: 'if (false)',
    tests: [...RIGHTS, 'core/src/kernel/http/conditional.test.ts'],
  },
  {
    guard: 'A 304 says nothing of a body that it has not',
    file: 'core/src/kernel/http/finish.ts',
    find: "const { 'content-type': _type, 'content-length': _length, 'content-range': _range, ...headers } = whole",
    replace: 'const headers = whole',
    tests: ['core/src/kernel/http/conditional.test.ts'],
  },
]
