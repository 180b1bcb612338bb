import type { Ctx, Declared, LimitSpec } from '#kernel'
import { getState } from '../life/lifecycle.ts'
import type { State } from '../life/states.ts'
import { maxOf } from '../plans.ts'
import { presentSubscription, presentTrial } from '../present.ts'
import type { Exceeded, SubscriptionDetails, Usage } from '../schema.ts'
import type { PlanRow } from '../table.ts'
import { type Counted, countRows, findUsage, HELD } from './usage-queries.ts'

/** Everything that a page about the subscription shows. */
export async function readDetails(ctx: Ctx): Promise<SubscriptionDetails> {
  const state = await getState(ctx)
  const usage = await readUsage(ctx, state)
  const subscription = presentSubscription(ctx, state)
  const { plan } = subscription
  const { limits, features } = plan
  return { subscription, plan, limits, features, usage, trial: presentTrial(state, ctx.clock.now()) }
}

/** The part of a subscription that decides how much is allowed, and what counts as used in its period. */
interface Terms extends Pick<State, 'current_period_start'> {
  plan: Pick<PlanRow, 'code' | 'limits' | 'features'>
}

/** How much of each limit is in use, and how much the plan allows. Of requests per minute nothing is used up. */
export async function readUsage(ctx: Ctx, state: Terms): Promise<Usage> {
  const used = await countAll(ctx, state.current_period_start)
  return Object.fromEntries(
    used.map(([limit, used]) => {
      const max = maxOf(ctx, state.plan, limit)
      return [limit, { used, max, percent: max === null ? null : percentOf(used, max) }]
    }),
  )
}

/** Limits whose use exceeds another plan. `isNewPeriod`: limits per period start at zero. */
export async function listExceeded(ctx: Ctx, state: State, plan: PlanRow, isNewPeriod: boolean): Promise<Exceeded[]> {
  const used = await countAll(ctx, state.current_period_start, (limit) => {
    const resets = isNewPeriod && ctx.registry.limits.get(limit)?.per === 'period'
    return !resets && maxOf(ctx, plan, limit) !== null
  })
  return used.flatMap(([limit, used]) => {
    const max = maxOf(ctx, plan, limit)
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
