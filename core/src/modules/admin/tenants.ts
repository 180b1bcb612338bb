import { type Ctx, insideTenant, notFound } from '#kernel'
import { readThrottle } from '../load/index.ts'
import { getState, presentInForce, presentOverrides, presentSubscription, readTerms } from '../subscriptions/index.ts'
import { readRemoval } from '../tenant-removal/index.ts'
import { presentListed } from './present.ts'
import { findAdminTenant } from './queries.ts'
import type { AdminTenant } from './schema.ts'

/**
 * Works in a tenant, in the transaction of the request: what was done and the answer that is kept for an `Idempotency-Key`
 * are one commit, so that nobody who asks again after a crash has it done twice. Records of the tenant name the operator.
 */
export function inTenant<T>(ctx: Ctx, tenantId: string, work: (ctx: Ctx) => Promise<T>): Promise<T> {
  return work(insideTenant(ctx, tenantId))
}

/** The tenant of the context with what it has and uses. Throws 404 for none. */
export async function readTenant(ctx: Ctx): Promise<AdminTenant> {
  const row = await findAdminTenant(ctx.tx, ctx.tenantId)
  if (!row) throw notFound()
  const [throttle, removal] = [await readThrottle(ctx), await readRemoval(ctx)]
  const listed = { ...presentListed(ctx, row), throttle, removal }
  // Every tenant gets a subscription sooner or later.
  if (row.plan_id === null) return { ...listed, ...NOTHING }
  const state = await getState(ctx)
  const { terms, usage } = await readTerms(ctx, state)
  return {
    ...listed,
    subscription: presentSubscription(ctx, state),
    usage,
    ...presentInForce(ctx, terms),
    ...presentOverrides(state, ctx.clock.now()),
  }
}

const NOTHING = {
  subscription: null,
  usage: {},
  limits: {},
  features: {},
  limits_override: {},
  features_override: {},
} as const // there is none of each
