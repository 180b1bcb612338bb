import { type Allowances, type Ctx, least, planLimitReached, subscriptionInactive, type Tx } from '#kernel'
import { limitReached80, limitReached100 } from '../events.ts'
import { getState } from '../life/lifecycle.ts'
import { isEnded, type State } from '../life/states.ts'
import { includes, maxOf, NO_PLAN, ratesOf } from '../plans.ts'
import { findStanding } from '../queries.ts'
import type { Status } from '../table.ts'
import { effective, giftsOf, type Terms as TenantTerms } from '../terms/terms.ts'
import { countedBy, periodOf, requireLimit, usageUnder } from './usage.ts'
import {
  type Counted,
  countRows,
  findTerms,
  findUsage,
  HELD,
  lockCounting,
  lockTerms,
  type StoredTerms,
  updateUsage,
  updateUsageReleased,
  upsertUsage,
} from './usage-queries.ts'

/**
 * What a tenant may have now, and the state of its subscription. Undefined for a tenant without a subscription, which
 * may have nothing until the schedule `subscriptions.open_missing` creates one.
 */
interface Terms extends TenantTerms {
  status: Status
  current_period_start: string
}

/** A refused count goes on this far, so that the answer can say how much is in use. */
const LOOK_FURTHER = 1_000

/** Answers the kernel's questions about limits, features and write access by the tenant's plan and subscription. */
export const planAllowances: Allowances = {
  async requireWritable(ctx, limit) {
    const standing = limit === undefined ? await findStatus(ctx) : (await lockedTerms(ctx))?.status
    if (standing === undefined || isEnded({ status: standing })) throw subscriptionInactive()
  },

  async consumed(ctx, limit, amount = 1) {
    const terms = await lockedTerms(ctx)
    if (!terms) throw subscriptionInactive()
    const max = maxOf(ctx, terms, limit)
    const counts = countedBy(ctx, limit)
    const used =
      counts === undefined
        ? await countUp(ctx, { limit, amount, max, terms })
        : max === null
          ? null
          : await countAgain(ctx, { limit, amount, max, counts })
    if (max !== null && used !== null) await announce(ctx, { limit, amount, max, used })
  },

  async released(ctx, limit, amount = 1) {
    if (countedBy(ctx, limit) !== undefined) return
    const terms = await lockedTerms(ctx)
    if (terms) await updateUsageReleased(ctx.tx, counterOf(ctx, limit, terms), amount)
  },

  async recounted(ctx, limit, count) {
    const { holds } = requireLimit(ctx, limit)
    if (holds === undefined) throw new Error(`The limit ${limit} is not held in amounts: nobody counts it anew`)
    const counter = { tenant_id: ctx.tenantId, limit_name: limit, period_start: HELD }
    // Locks it: who has consumed has committed then, and who consumes later adds to what is set here.
    await upsertUsage(ctx.tx, counter, { amount: 0, max: null })
    await updateUsage(ctx.tx, counter, await count())
  },

  async hasFeature(ctx, feature) {
    const terms = await current(ctx, await findTerms(ctx.tx, ctx.tenantId))
    return terms !== undefined && includes(ctx, terms, feature)
  },

  async perMinute(ctx) {
    const terms = await current(ctx, await findTerms(ctx.tx, ctx.tenantId))
    if (!terms) return { figures: ratesOf(ctx, NO_PLAN), until: null }
    const figures = ratesOf(ctx, terms)
    return { figures, until: firstEnd(Object.keys(figures).map((limit) => terms.gifts.limits[limit]?.until)) }
  },

  async overview(ctx) {
    const terms = await current(ctx, await findTerms(ctx.tx, ctx.tenantId))
    const plan = terms ?? nothing(ctx)
    const period = terms?.current_period_start ?? ctx.clock.now() // of which nothing is counted yet
    const usage = await usageUnder(ctx, plan, period)
    return {
      writable: terms !== undefined && !isEnded(terms),
      features: [...ctx.registry.features.keys()].filter((feature) => includes(ctx, plan, feature)),
      limits: Object.fromEntries(Object.entries(usage).map(([limit, { used, max }]) => [limit, { used, max }])),
    }
  },
}

/** What a tenant without a subscription may have. */
const nothing = ({ registry: { limits, features } }: Ctx) => ({
  code: '',
  limits: Object.fromEntries([...limits.keys()].map((limit) => [limit, 0])),
  features: Object.fromEntries([...features.keys()].map((feature) => [feature, false])),
})

async function findStatus(ctx: Ctx): Promise<Status | undefined> {
  const stored = await findStanding(ctx.tx, ctx.tenantId)
  if (!stored || !isOverdue(ctx, stored)) return stored?.status
  return (await getState(ctx)).status
}

const known = new WeakMap<Tx, Promise<Terms | undefined>>()

/** Read once per transaction: they cannot change until it ends. */
function lockedTerms(ctx: Ctx): Promise<Terms | undefined> {
  const { tx } = ctx
  let terms = known.get(tx)
  if (!terms) {
    terms = lock(ctx)
    known.set(tx, terms)
  }
  return terms
}

async function lock(ctx: Ctx): Promise<Terms | undefined> {
  const { tx, tenantId } = ctx
  return current(ctx, (await lockTerms(tx, tenantId)) ?? (await lockTerms(tx, tenantId)))
}

/** The current terms, including changes that have become due but are not stored yet. */
async function current(ctx: Ctx, stored: StoredTerms | undefined): Promise<Terms | undefined> {
  if (!stored) return undefined
  const gifts = giftsOf(stored, stored.rollouts, ctx.clock.now())
  if (!isOverdue(ctx, stored)) return { ...effective(stored, gifts), ...standingOf(stored) }
  const state: State = await getState(ctx)
  return { ...effective(state.plan, gifts), ...standingOf(state) }
}

const standingOf = ({ status, current_period_start }: Pick<Terms, 'status' | 'current_period_start'>) => ({
  status,
  current_period_start,
})

/** The first of these moments; null: there is none. */
const firstEnd = (ends: readonly (string | null | undefined)[]): string | null =>
  ends.reduce<string | null>((first, end) => least(first, end ?? null), null)

const isOverdue = ({ clock }: Ctx, { next_change_at }: { next_change_at: string | null }) =>
  next_change_at !== null && next_change_at <= clock.now()

interface Consumption {
  limit: string
  amount: number
}

async function countUp(
  ctx: Ctx,
  { limit, amount, max, terms }: Consumption & { max: number | null; terms: Terms },
): Promise<number> {
  const counter = counterOf(ctx, limit, terms)
  const used = await upsertUsage(ctx.tx, counter, { amount, max })
  if (used !== undefined) return used
  throw planLimitReached({ members: { limit, max, used: await findUsage(ctx.tx, counter) } })
}

/**
 * Counts the existing rows, the new ones included, with other writers of the tenant waiting; it stops as soon as the
 * limit is exceeded.
 */
async function countAgain(
  ctx: Ctx,
  { limit, amount, max, counts }: Consumption & { max: number; counts: Counted },
): Promise<number> {
  const { tx, tenantId } = ctx
  const [, used] = await Promise.all([lockCounting(tx, tenantId), countRows(tx, tenantId, counts, max + 1)])
  if (used <= max) return used
  const all = await countRows(tx, tenantId, counts, max + amount + LOOK_FURTHER)
  throw planLimitReached({ members: { limit, max, used: all - amount } })
}

/** Emits an event when 80 % or all of a limit is crossed. */
async function announce(ctx: Ctx, { limit, amount, max, used }: Consumption & { max: number; used: number }) {
  const crosses = (mark: number) => used - amount < mark && used >= mark
  const event = crosses(max) ? limitReached100 : crosses(Math.ceil(max * 0.8)) ? limitReached80 : null
  if (event) await ctx.emit(event, { id: null, label: limit, after: { limit, max, used } })
}

const counterOf = (ctx: Ctx, limit: string, { current_period_start }: Terms) => ({
  tenant_id: ctx.tenantId,
  limit_name: limit,
  period_start: periodOf(ctx, limit, current_period_start),
})
