import type { Plant } from './plant.ts'

const WITHOUT = ['core/src/modules/subscriptions/without-subscription.test.ts']

export const plants: Plant[] = [
  {
    guard: 'A tenant without a subscription writes nothing',
    file: 'core/src/modules/subscriptions/allowances.ts',
    find: 'if (standing === undefined || isEnded(',
    replace: 'if (standing !== undefined && isEnded(',
    tests: WITHOUT,
  },
  {
    guard: 'A tenant without a subscription consumes nothing of any limit',
    file: 'core/src/modules/subscriptions/allowances.ts',
    find: 'if (!terms) throw subscriptionInactive()',
    replace: 'if (!terms) return',
    tests: WITHOUT,
  },
  {
    guard: 'A tenant without a subscription has no feature',
    file: 'core/src/modules/subscriptions/allowances.ts',
    find: 'return terms !== undefined && includes(',
    replace: 'return terms === undefined || includes(',
    tests: WITHOUT,
  },
  {
    guard: 'Nothing is left of a limit that cannot be read',
    file: 'core/src/modules/subscriptions/allowances.ts',
    find: 'if (!terms) return 0',
    replace: 'if (!terms) return null',
    tests: WITHOUT,
  },
  {
    guard: 'No tenant stays without a subscription, however old it is',
    file: 'core/src/modules/subscriptions/rolling-over.ts',
    find: "openMissing(ctx, 'subscriptions.open_all_missing', null)",
    replace: "openMissing(ctx, 'subscriptions.open_all_missing', fromNow(ctx.clock, -RECENT_MS))",
    tests: ['core/src/modules/subscriptions/rolling-over.test.ts'],
  },
]
