import { Closed, type Ctx, Described, defineSupport, pickFields, Type, Uuid } from '#kernel'
import { advance } from './life/lifecycle.ts'
import { isEnded, type State } from './life/states.ts'
import { countedBy, periodOf } from './limits/usage.ts'
import { maxOf } from './plans.ts'
import { Subscription } from './schema.ts'
import { listAllPlans, listCountsOf, listSubscriptionsOf, listUsageOf } from './support-queries.ts'
import { listRollouts } from './terms/queries.ts'
import { effective, giftsOf } from './terms/terms.ts'

const Reached = Closed({
  limit: Type.String({ description: 'Its name', examples: ['users'] }),
  max: Type.Integer({ description: 'How many the tenant may have; so many or more are in use' }),
})
const { status, trial_ends_at, current_period_end, cancel_at_period_end, grace_ends_at } = Subscription.properties
const Paid = Closed({
  tenant_id: Described(Uuid, 'The tenant'),
  plan: Type.String({ description: 'The code of its plan', examples: ['starter'] }),
  status,
  trial_ends_at,
  current_period_end,
  cancel_at_period_end,
  grace_ends_at,
  reached: Type.Array(Reached, { description: 'Limits that are used up, of the plan or of what counts before it' }),
})

/** The subscription of each tenant that was looked at, and which of its limits are used up. */
export const subscriptionsSupport = defineSupport({
  name: 'subscriptions',
  description: 'What their tenants pay for, and which limits are used up',
  roles: ['support', 'billing'],
  schema: Closed({
    subscriptions: Type.Array(Paid, { description: 'Of the tenants that were looked at, as they stand now' }),
  }),
  causes: {
    trial_ended: {
      severity: 'high',
      likelihood: 82,
      do: 'The tenant can only read until its owner adds a way to pay and reactivates, or an operator with the role `billing` extends the trial.',
    },
    subscription_ended: {
      severity: 'high',
      likelihood: 81,
      do: 'The tenant can only read: its owner reactivates the subscription.',
    },
    subscription_missing: {
      severity: 'high',
      likelihood: 79,
      do: 'The tenant can only read: it gets a subscription within the hour (`subscriptions.open_missing`). Where it does not, look at the log of the workers.',
    },
    subscription_past_due: {
      severity: 'medium',
      likelihood: 76,
      do: 'Its owner pays, or changes the way to pay, before the grace ends: the tenant can only read from then on.',
    },
    limit_reached: {
      severity: 'medium',
      likelihood: 71,
      do: 'They remove what they do not need, or the owner chooses a larger plan; an operator with the role `billing` may choose a private one.',
    },
  },
  async read(ctx, { tenantIds }) {
    const states = await listStates(ctx, tenantIds)
    const reached = await listReached(ctx, states)
    const subscriptions = states.map((state) =>
      pickFields(Paid, { ...state, plan: state.plan.code, reached: reached.get(state.tenant_id) ?? [] }),
    )
    const known = new Set(states.map(({ tenant_id }) => tenant_id))
    const missing = tenantIds.filter((id) => !known.has(id))
    return {
      shown: { subscriptions },
      findings: [
        ...states.flatMap(standingOf),
        ...missing.map((tenantId) => found('subscription_missing', tenantId, 'It has no subscription yet.')),
        ...[...reached].map(([tenantId, limits]) => {
          const which = limits.map(({ limit, max }) => `${limit} (${max})`).join(', ')
          return found('limit_reached', tenantId, `Used up: ${which}.`)
        }),
      ],
    }
  },
})

type Code = 'trial_ended' | 'subscription_ended' | 'subscription_missing' | 'subscription_past_due' | 'limit_reached'
const found = (code: Code, tenantId: string, what: string, at?: string) => ({ code, tenantId, what, at: at ?? null })

/** As they stand now, whether or not that is stored. */
async function listStates({ tx, clock }: Ctx, tenantIds: readonly string[]): Promise<State[]> {
  const [rows, plans] = await Promise.all([listSubscriptionsOf(tx, tenantIds), listAllPlans(tx)])
  const planOf = new Map(plans.map((plan) => [plan.id, plan]))
  return rows.flatMap((row) => {
    const plan = planOf.get(row.plan_id)
    if (!plan) return [] // its foreign key does not let it go
    const pending_plan = planOf.get(row.pending_plan_id ?? '') ?? null
    return [advance({ ...row, plan, pending_plan }, clock.now()).state]
  })
}

function standingOf(state: State) {
  const { tenant_id, status, trial_ends_at, current_period_end, grace_ends_at } = state
  if (status === 'past_due')
    return [found('subscription_past_due', tenant_id, `It is not paid; its grace ends at ${grace_ends_at}.`)]
  if (!isEnded(state)) return []
  const isTrial = status === 'expired' && trial_ends_at !== null && trial_ends_at === current_period_end
  return isTrial
    ? [found('trial_ended', tenant_id, `Its trial ended at ${trial_ends_at}, and nothing followed.`, trial_ends_at)]
    : [
        found(
          'subscription_ended',
          tenant_id,
          `Its subscription is ${status} since ${current_period_end} at the latest.`,
        ),
      ]
}

/** The limits that are used up, by tenant: in one statement for each limit that counts rows, and one for all others. */
async function listReached(ctx: Ctx, states: readonly State[]) {
  const [rollouts, now] = [await listRollouts(ctx.tx), ctx.clock.now()]
  const mine = states.map((state) => ({ state, terms: effective(state.plan, giftsOf(state, rollouts, now)) }))
  const reached = new Map<string, { limit: string; max: number }[]>()
  const note = (tenant: string, limit: string, max: number) => {
    reached.set(tenant, [...(reached.get(tenant) ?? []), { limit, max }])
  }
  const limits = [...ctx.registry.limits].filter(([, { per }]) => per !== 'minute').map(([limit]) => limit)
  const bounded = (limit: string) =>
    mine.flatMap(({ state, terms }) => {
      const max = maxOf(ctx, terms, limit)
      return max === null ? [] : [{ state, max }]
    })
  const summed = limits.filter((limit) => countedBy(ctx, limit) === undefined)
  const ids = states.map(({ tenant_id }) => tenant_id)
  const [usage] = await Promise.all([
    listUsageOf(ctx.tx, ids, summed),
    ...limits.map(async (limit) => {
      const counted = countedBy(ctx, limit)
      if (!counted) return
      const all = bounded(limit)
      const mostOf = new Map(all.map(({ state, max }) => [state.tenant_id, max]))
      const tenants = [...mostOf].map(([id, most]) => ({ id, most }))
      for (const { tenant_id, used } of await listCountsOf(ctx.tx, counted, tenants)) {
        const max = mostOf.get(tenant_id)
        if (max !== undefined && used >= max) note(tenant_id, limit, max)
      }
    }),
  ])
  const usedOf = new Map(usage.map((row) => [`${row.tenant_id} ${row.limit_name} ${row.period_start}`, row.used]))
  for (const limit of summed)
    for (const { state, max } of bounded(limit)) {
      const period = periodOf(ctx, limit, state.current_period_start)
      const used = usedOf.get(`${state.tenant_id} ${limit} ${period}`) ?? 0
      if (used >= max) note(state.tenant_id, limit, max)
    }
  return reached
}
