import type { Plant } from './plant.ts'

const ADDRESSES = 'core/src/kernel/addresses'

export const plants: Plant[] = [
  {
    guard: 'An IPv4 address in its IPv6 clothes is no public one',
    file: `${ADDRESSES}/public-addresses.ts`,
    find: 'if (address.isMapped || isWithin(reserved, address))',
    replace: 'if (isWithin(reserved, address))',
    tests: [`${ADDRESSES}/public-addresses.test.ts`],
  },
  {
    guard: 'An address with a zone is none',
    file: `${ADDRESSES}/addresses.ts`,
    find: "text.includes('%') ? 0 : isIP(text)",
    replace: "isIP(text.replace(/%.*/, ''))",
    tests: [`${ADDRESSES}/spellings.test.ts`],
  },
  {
    guard: 'A network in IPv6 clothes lets in no more than it names',
    file: `${ADDRESSES}/networks.ts`,
    find: 'bits >= 96 ? networkAround(4, value, bits - 96)',
    replace: 'bits >= 96 ? networkAround(4, value, 0)',
    tests: [`${ADDRESSES}/networks.test.ts`],
  },
  {
    guard: 'Another spelling of this machine’s address leads to it no less',
    file: `${ADDRESSES}/loopback.ts`,
    find: "parseNetworks(['127.0.0.0/8', '::1'])",
    replace: "parseNetworks(['127.0.0.1', '::1/127'])",
    tests: [`${ADDRESSES}/spellings.test.ts`, 'core/src/modules/mail/mailbox-reach.test.ts'],
  },
  {
    guard: 'No two processes send the same message at a time, and none before its time',
    file: 'core/src/kernel/outbound/leases.ts',
    find: 'next_attempt_at].every(',
    replace: 'next_attempt_at].some(',
    tests: ['core/test/signed-messages.test.ts'],
  },
  {
    guard: 'Who lost the right to send writes nothing down of what it sent',
    file: 'core/src/kernel/outbound/leases.ts',
    find: 'lease.locked_by !== null && row.locked_by === lease.locked_by',
    replace: 'lease.locked_by !== null && row.locked_by !== null',
    tests: ['core/src/kernel/outbound/leases.test.ts'],
  },
  {
    guard: 'A secret that was rotated signs for a day and no longer',
    file: 'core/src/kernel/outbound/signing-secrets.ts',
    find: 'Date.parse(row.previous_until) > clock.ms()',
    replace: 'Date.parse(row.previous_until) > 0',
    tests: ['core/test/signed-messages.test.ts'],
  },
  {
    guard: 'A secret that signs is sealed for its receiver',
    file: 'core/src/kernel/outbound/signing-secrets.ts',
    find: 'const contextOf = (id: string) => ',
    replace: 'const contextOf = (id: string) => context || ',
    tests: ['core/src/kernel/outbound/signing-secrets.test.ts'],
  },
  {
    guard: 'What is sent is signed together with its id',
    file: 'core/src/kernel/outbound/signing.ts',
    find: 'if (!/^[\\w-]+$/.test(id)) throw',
    replace: 'if (id.length === 0) throw',
    tests: ['core/src/kernel/outbound/signing.test.ts'],
  },
  {
    guard: 'Headers of a receiver’s own take the place of no signature',
    file: 'core/src/kernel/outbound/deliveries.ts',
    find: '[name.toLowerCase(), value]',
    replace: '[name, value]',
    tests: ['core/src/kernel/outbound/deliveries.test.ts'],
  },
  {
    guard: 'A receiver that takes nothing for days is given up',
    file: 'core/src/kernel/outbound/retries.ts',
    find: '>= (policy.giveUpMs ?? Number.POSITIVE_INFINITY)',
    replace: '>= Number.POSITIVE_INFINITY',
    tests: ['core/src/kernel/outbound/retries.test.ts', 'core/src/modules/audit-sinks/failures.test.ts'],
  },
]
