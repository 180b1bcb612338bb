import type { Plant } from './plant.ts'

export const plants: Plant[] = [
  {
    guard: 'No ordinary credential, whatever its permissions, reaches what is for operators',
    file: 'core/src/kernel/http/authorize.ts',
    find: '    if (!roles.some((role) => resolved.operatorRoles.has(role))) throw permissionDenied()\n',
    replace: '',
    tests: ['core/src/modules/operators/operators.test.ts'],
  },
  {
    guard: 'An operator reaches only the routes that name one of their roles',
    file: 'core/src/kernel/http/authorize.ts',
    find: 'if (!roles.some((role) => resolved.operatorRoles.has(role)))',
    replace: 'if (resolved.operatorRoles.size === 0)',
    tests: ['core/test/operator-isolation.test.ts'],
  },
  {
    guard: 'A route that stands under /admin and is not for operators is refused at start',
    file: 'core/src/kernel/access/operators.ts',
    find: 'const isAmongThem = /^\\/admin(?:\\/|$)/.test(path)',
    replace: 'const isAmongThem = /^\\/admin$/.test(path)',
    tests: ['core/test/kernel-registry.test.ts'],
  },
  {
    guard: 'A tenant that is suspended is so in every process at once',
    file: 'core/src/modules/tenants/suspension.ts',
    find: '  await ctx.emit(suspensionBegun, recordStatus(ctx, before, after, reason))\n  await ctx.forget({ tenantId: before.id })\n',
    replace: '  await ctx.emit(suspensionBegun, recordStatus(ctx, before, after, reason))\n',
    tests: ['core/src/modules/admin/suspension.test.ts'],
  },
  {
    guard: 'A tenant is suspended once, however many do so at once',
    file: 'core/src/modules/tenants/suspension.ts',
    find: "  if (before.status !== 'active') throw conflict",
    replace: "  if (before.status === 'deleted') throw conflict",
    tests: ['core/src/modules/admin/suspension.test.ts'],
  },
  {
    guard: 'A trial that a period has followed is not extended',
    file: 'core/src/modules/subscriptions/life/states.ts',
    find: "  if (!isOnTrial(state)) throw conflict({ detail: 'The trial was followed by a period, which is not extended' })\n",
    replace: '',
    tests: ['core/src/modules/admin/billing.test.ts'],
  },
  {
    guard: 'An operator chooses no plan that is not active',
    file: 'core/src/modules/subscriptions/queries.ts',
    find: ".where('id', '=', id).where('is_active', '=', true).executeTakeFirst()",
    replace: ".where('id', '=', id).executeTakeFirst()",
    tests: ['core/src/modules/admin/billing.test.ts'],
  },
  {
    guard: 'Somebody who can sign in always has the role all',
    file: 'core/src/modules/users/operator-roles.ts',
    find: '    if (admins.some(({ id }) => id !== userId)) return\n',
    replace: '    if (admins.length > 0) return\n',
    tests: ['core/src/modules/operators/operators.test.ts'],
  },
  {
    guard: 'A role of an operator that was taken away is gone in every process',
    file: 'core/src/modules/users/operator-roles.ts',
    find: 'is_super_admin, operator_roles, updated_at: ctx.clock.now() })\n  await ctx.forget({ userId: id })\n',
    replace: 'is_super_admin, operator_roles, updated_at: ctx.clock.now() })\n',
    tests: ['core/src/modules/operators/operators.test.ts'],
  },
]
