import type { Ctx, Declared, LimitSpec } from '#kernel'
import { getState } from '../life/lifecycle.ts'
import type { State } from '../life/states.ts'
import { featuresOf, limitsOf, maxOf, type PlanTerms } from '../plans.ts'
import { presentSubscription, presentTrial } from '../present.ts'
import type { Exceeded, SubscriptionDetails, Usage } from '../schema.ts'
import type { PlanRow } from '../table.ts'
import { listRollouts } from '../terms/queries.ts'
import { effective, type Gift, giftsOf, type Terms } from '../terms/terms.ts'
import { type Counted, countRows, findUsage, HELD } from './usage-queries.ts'

/** Everything that a page about the subscription shows. */
export async function readDetails(ctx: Ctx): Promise<SubscriptionDetails> {
  const state = await getState(ctx)
  const { terms, usage } = await readTerms(ctx, state)
  const subscription = presentSubscription(ctx, state)
  return {
    subscription,
    plan: subscription.plan,
    limits: limitsOf(ctx, terms),
    features: featuresOf(ctx, terms),
    usage,
    trial: presentTrial(state, ctx.clock.now()),
  }
}

/** What the tenant may have now, and how much of it is in use. */
export async function readTerms(ctx: Ctx, state: State): Promise<{ terms: Terms; usage: Usage }> {
  // All queries are sent at once.
  const [rollouts, used] = await Promise.all([listRollouts(ctx.tx), countAll(ctx, state.current_period_start)])
  const terms = effective(state.plan, giftsOf(state, rollouts, ctx.clock.now()))
  return { terms, usage: usageOf(ctx, terms, used) }
}

/** How much of each limit is in use, and how much the tenant may have. Of requests per minute nothing is used up. */
export const readUsage = async (ctx: Ctx, state: State): Promise<Usage> => (await readTerms(ctx, state)).usage

/** What is in force of each limit and feature, and by what. */
export function presentInForce(ctx: Declared, terms: Terms) {
  const by = (gift: Gift<unknown> | undefined) => ({ by: gift?.by ?? ('plan' as const), until: gift?.until ?? null }) // a word
  const { limits, features } = terms.gifts
  return {
    limits: mapped(limitsOf(ctx, terms), (max, name) => ({ max, ...by(limits[name]) })),
    features: mapped(featuresOf(ctx, terms), (included, name) => ({ included, ...by(features[name]) })),
  }
}

const mapped = <T, R>(values: Readonly<Record<string, T>>, map: (value: T, name: string) => R): Record<string, R> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, map(value, name)]))

/** The same under terms that are known. */
export const usageUnder = async (ctx: Ctx, terms: PlanTerms, periodStart: string): Promise<Usage> =>
  usageOf(ctx, terms, await countAll(ctx, periodStart))

function usageOf(ctx: Ctx, terms: PlanTerms, used: [limit: string, used: number][]): Usage {
  return Object.fromEntries(
    used.map(([limit, used]) => {
      const max = maxOf(ctx, terms, limit)
      return [limit, { used, max, percent: max === null ? null : percentOf(used, max) }]
    }),
  )
}

/** When a change of plan takes effect. `isNewPeriod`: limits per period start at zero then. */
interface Effect {
  at: string
  isNewPeriod: boolean
}

/** Limits whose use exceeds what the tenant may have under another plan, with all that it gets beside by then. */
export async function listExceeded(ctx: Ctx, state: State, plan: PlanRow, effect: Effect): Promise<Exceeded[]> {
  const rollouts = await listRollouts(ctx.tx)
  const terms = effective(plan, giftsOf(state, rollouts, effect.at))
  const used = await countAll(ctx, state.current_period_start, (limit) => {
    const resets = effect.isNewPeriod && ctx.registry.limits.get(limit)?.per === 'period'
    return !resets && maxOf(ctx, terms, limit) !== null
  })
  return used.flatMap(([limit, used]) => {
    const max = maxOf(ctx, terms, limit)
    return max !== null && used > max ? [{ limit, used, max }] : []
  })
}

async function countAll(
  ctx: Ctx,
  period_start: string,
  isWanted: (limit: string) => boolean = () => true,
): Promise<[limit: string, used: number][]> {
  const { tx, tenantId } = ctx
  const wanted = [...ctx.registry.limits].filter(([limit, { per }]) => per !== 'minute' && isWanted(limit))
  // All queries are sent at once.
  return Promise.all(
    wanted.map(async ([limit]): Promise<[string, number]> => {
      const counter = { tenant_id: tenantId, limit_name: limit, period_start: periodOf(ctx, limit, period_start) }
      const counted = countedBy(ctx, limit)
      return [limit, counted === undefined ? await findUsage(tx, counter) : await countRows(tx, tenantId, counted)]
    }),
  )
}

/** The rows that a limit counts; undefined for a limit per period, or one that is held in amounts. */
export function countedBy(ctx: Ctx, limit: string): Counted | undefined {
  const { counts, until, per } = requireLimit(ctx, limit)
  if (per === 'minute') throw new Error(`The limit ${limit} is one of requests per minute: nothing of it is used up`)
  return counts === undefined ? undefined : { table: counts, until, now: ctx.clock.now() }
}

/** The period that a limit is counted in. */
export function periodOf(ctx: Declared, limit: string, current: string): string {
  return requireLimit(ctx, limit).holds === undefined ? current : HELD
}

export function requireLimit({ registry }: Declared, limit: string): LimitSpec {
  const declared = registry.limits.get(limit)
  if (!declared) throw new Error(`The limit ${limit} belongs to no module of this core`)
  return declared
}

const percentOf = (used: number, max: number) => (max === 0 ? 100 : Math.floor((used / max) * 100))
