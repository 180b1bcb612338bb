import type { Plant } from './plant.ts'

const WITHOUT = ['core/src/modules/subscriptions/without-subscription.test.ts']

export const plants: Plant[] = [
  {
    guard: 'A handler enters no tenant but its own, unless its route says so',
    file: 'core/src/kernel/create-context.ts',
    find: 'this.#seed.mayEnter === false)',
    replace: 'this.#seed.mayEnter === undefined)',
    tests: ['core/test/kernel-across.test.ts'],
  },
  {
    guard: 'What somebody may do in their own tenant counts for nothing in another',
    file: 'core/src/kernel/create-context.ts',
    find: 'const seed = isOwn || tenant === null ? { ...this.#seed, tenant } : enter(this.#seed, tenant)',
    replace: 'const seed = { ...this.#seed, tenant }',
    tests: ['core/test/kernel-across.test.ts'],
  },
  {
    guard: 'A handler opens no transaction that sees every tenant, unless its route says so',
    file: 'core/src/kernel/create-context.ts',
    find: "if (role === 'system' && this.#seed.mayCross === false)",
    replace: "if (role === 'system' && this.#seed.mayCross === undefined)",
    tests: ['core/test/kernel-across.test.ts'],
  },
  {
    guard: 'A tenant without a subscription writes nothing',
    file: 'core/src/modules/subscriptions/limits/limits.ts',
    find: 'if (standing === undefined || isEnded(',
    replace: 'if (standing !== undefined && isEnded(',
    tests: WITHOUT,
  },
  {
    guard: 'A tenant without a subscription consumes nothing of any limit',
    file: 'core/src/modules/subscriptions/limits/limits.ts',
    find: 'if (!terms) throw subscriptionInactive()',
    replace: 'if (!terms) return',
    tests: WITHOUT,
  },
  {
    guard: 'A tenant without a subscription has no feature',
    file: 'core/src/modules/subscriptions/limits/limits.ts',
    find: 'return terms !== undefined && includes(',
    replace: 'return terms === undefined || includes(',
    tests: WITHOUT,
  },
  {
    guard: 'Nothing is left of a limit that cannot be read',
    file: 'core/src/modules/subscriptions/limits/limits.ts',
    find: '.map((limit) => [limit, 0])',
    replace: '.map((limit) => [limit, null])',
    tests: WITHOUT,
  },
  {
    guard: 'No tenant stays without a subscription, however old it is',
    file: 'core/src/modules/subscriptions/life/renewal.ts',
    find: "openMissing(ctx, 'subscriptions.open_all_missing', null)",
    replace: "openMissing(ctx, 'subscriptions.open_all_missing', fromNow(ctx.clock, -RECENT_MS))",
    tests: ['core/src/modules/subscriptions/life/renewal.test.ts'],
  },
  {
    guard: 'No key of another session keeps a session open that signs out',
    file: 'core/src/modules/auth/routes-sessions.ts',
    find: "summary: 'End this session',\n  description: NO_KEY,\n  access: 'self',\n  idempotent: false,",
    replace: "summary: 'End this session',\n  description: NO_KEY,\n  access: 'self',",
    tests: ['core/src/modules/auth/sessions/repeated-requests.test.ts'],
  },
  {
    guard: 'What hangs on the session is never answered by the key of a person',
    file: 'core/src/kernel/http/handle.ts',
    find: 'route.idempotent ? sessionless(route, identity.principal) : identity.principal',
    replace: 'identity.principal',
    tests: ['core/test/kernel-idempotency-worth.test.ts'],
  },
  {
    guard: 'An invitation of a clock that was ahead is worth nothing',
    file: 'core/src/modules/members/join.ts',
    find: 'if (expires_at <= clock.now() || isAhead(clock, sent_at)) throw',
    replace: 'if (expires_at <= clock.now()) throw',
    tests: ['core/src/modules/members/invite.test.ts'],
  },
  {
    guard: 'Nothing is remembered of permissions before a notification has come back',
    file: 'core/src/kernel/access/notifications.ts',
    find: 'of !== undefined && performance.now() - of.provenAt < times.goodForMs',
    replace: 'of !== undefined && times.goodForMs > 0',
    tests: ['core/test/kernel-notifications.test.ts'],
  },
]
