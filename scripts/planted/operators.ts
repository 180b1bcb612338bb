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
    find: "const isAmongThem = path === '/admin' || path.startsWith('/admin/')",
    replace: "const isAmongThem = path === '/admin'",
    tests: ['core/test/kernel-registry.test.ts'],
  },
  {
    guard: 'Somebody who can sign in always has the role all',
    file: 'core/src/modules/users/operator-roles.ts',
    find: 'if (before.is_super_admin && !is_super_admin && !admins.some((admin) => admin.id !== id))',
    replace: 'if (before.is_super_admin && !is_super_admin && admins.length === 0)',
    tests: ['core/src/modules/operators/operators.test.ts'],
  },
  {
    guard: 'A role of an operator that was taken away is gone in every process',
    file: 'core/src/modules/users/operator-roles.ts',
    find: '  await ctx.forget({ userId: id })\n',
    replace: '',
    tests: ['core/src/modules/operators/operators.test.ts'],
  },
]
