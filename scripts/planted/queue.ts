import type { Plant } from './plant.ts'

export const plants: Plant[] = [
  {
    guard: 'Nobody who holds a connection waits for another one',
    file: 'core/src/kernel/db/held-connections.ts',
    find: 'if (held && !held.isOver) throw new NestedTransaction(what, held.role)',
    replace: '',
    tests: ['core/test/pool-of-one.test.ts'],
  },
  {
    guard: 'Nobody waits for signing keys to be read while one is known',
    file: 'core/src/modules/auth/tokens/key-ring.ts',
    find: 'if (isOlder(RELOAD_AFTER_MS)) reloadBeside()\n    return read()',
    replace: 'if (isOlder(RELOAD_AFTER_MS)) return reload().then(read)\n    return read()',
    tests: ['core/test/pool-of-one.test.ts'],
  },
  {
    guard: 'A notification that nobody understands ends no process and makes everything forgotten',
    file: 'core/src/kernel/access/standing.ts',
    find: 'return entries.length > 0 && entries.every(isKnown) ?',
    replace: 'return entries.every(isKnown) ?',
    tests: ['core/test/kernel-notifications.test.ts'],
  },
  {
    guard: 'A connection that listens and hears nothing is missed within 15 seconds',
    file: 'core/src/kernel/access/notifications.ts',
    find: 'if ([...of.awaited.values()].some(isDeaf)) {',
    replace: 'if (of.awaited.size < 0) {',
    tests: ['core/test/kernel-notifications.test.ts'],
  },
  {
    guard: 'Of a sweep over tenants one that fails keeps no other from its turn',
    file: 'core/src/kernel/jobs/every-tenant.ts',
    find: 'if (error instanceof Interrupted) throw error',
    replace: 'throw error',
    tests: ['core/test/every-tenant.test.ts'],
  },
  {
    guard: 'A sweep is done by one process at a time',
    file: 'core/src/kernel/jobs/claim.ts',
    find: 'where r.claimed_by is null or r.claimed_until <= $4 or r.claimed_until > $5',
    replace: 'where true or r.claimed_until <= $4 or r.claimed_until > $5',
    tests: ['core/test/every-tenant.test.ts'],
  },
  {
    guard: 'The claim of a clock that was wrong holds nobody up',
    file: 'core/src/kernel/jobs/claim.ts',
    find: 'r.claimed_until <= $4 or r.claimed_until > $5',
    replace: 'r.claimed_until <= $4 or ($5::timestamptz is null)',
    tests: ['core/test/every-tenant.test.ts'],
  },
  {
    guard: 'A clock that was once ahead stops no schedule',
    file: 'core/src/kernel/jobs/upkeep.ts',
    find: '  await correctFutureTimes(core)\n',
    replace: '  if (process.argv.length === 0) await correctFutureTimes(core)\n',
    tests: ['core/test/wrong-clock.test.ts'],
  },
  {
    guard: 'A session that a clock which was ahead has opened is worth nothing',
    file: 'core/src/modules/auth/tokens/authenticator.ts',
    find: 'if (isAhead(core.clock, session.created_at)) throw sessionRevoked()',
    replace: 'if (isAhead(core.clock, session.created_at) && tenantId === undefined) throw sessionRevoked()',
    tests: ['core/test/wrong-clock.test.ts'],
  },
  {
    guard: 'Jobs that wait for other people’s servers take no place of mail and internal work',
    file: 'core/src/modules/audit-sinks/send.ts',
    find: '  outbound: true,\n',
    replace: '',
    tests: ['core/test/outbound-places.test.ts'],
  },
]
