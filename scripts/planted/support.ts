import type { Plant } from './plant.ts'

const tests = ['core/src/modules/support/support.test.ts']
const tickets = ['core/src/modules/support/tickets.test.ts']

export const plants: Plant[] = [
  {
    guard: 'An operator sees no section of a support answer that is not for one of their roles',
    file: 'core/src/modules/support/operations.ts',
    find: 'mayAll || roles.some((role) => held.includes(role))',
    replace: 'mayAll || roles.length > 0',
    tests,
  },
  {
    guard: 'Whoever sees to billing alone learns of no membership',
    file: 'core/src/modules/support/operations.ts',
    find: 'isTold ? all.ids : await listOwned(tx, all.ids, userId)',
    replace: 'isTold || userId !== null ? all.ids : await listOwned(tx, all.ids, userId)',
    tests,
  },
  {
    guard: 'A support answer is recorded with the person that it is about',
    file: 'core/src/modules/support/operations.ts',
    find: '    id: userId,\n',
    replace: '    id: null,\n',
    tests,
  },
  {
    guard: 'A section that takes too long keeps no support answer waiting',
    file: 'core/src/modules/support/collect.ts',
    find: 'await Promise.race([reading, late])',
    replace: 'await reading',
    tests,
  },
  {
    guard: 'A section of a support answer writes nothing',
    file: 'core/src/modules/support/collect.ts',
    find: 'tenantId: subject.tenantId, readOnly: true }',
    replace: 'tenantId: subject.tenantId }',
    tests,
  },
  {
    guard: 'A support answer shows no path of a webhook, which may be a credential',
    file: 'core/src/modules/webhooks/support.ts',
    find: 'host: new URL(row.url).host',
    replace: 'host: row.url',
    tests,
  },
  {
    guard: 'A support answer sends as many statements however many tenants somebody has',
    file: 'core/src/modules/support/operations.ts',
    find: '  const subject = {',
    replace: '  for (const id of tenantIds) await findTenant(tx, id)\n  const subject = {',
    tests,
  },
  {
    guard: 'What refused a sign-in is no word on somebody who has signed in since',
    file: 'core/src/modules/auth/support/sign-ins.ts',
    find: 'const proofs = [last_login_at]',
    replace: 'const proofs = [last_login_at].slice(1)',
    tests: tickets,
  },
  {
    guard: 'Why a sign-in was refused says nothing of who slips while signed in',
    file: 'core/src/modules/auth/refusals/refusals.ts',
    find: 'email === null || sessionId !== null',
    replace: "email === null || sessionId === ''",
    tests: tickets,
  },
  {
    guard: 'A support answer goes by what a tenant may have, not by its plan alone',
    file: 'core/src/modules/subscriptions/support.ts',
    find: 'effective(state.plan, giftsOf(state, rollouts, now))',
    replace: 'effective(state.plan, giftsOf({ ...state, limits_override: {} }, rollouts, now))',
    tests: tickets,
  },
]
