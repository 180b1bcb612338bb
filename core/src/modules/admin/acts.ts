import { type Ctx, conflict, type EventDefinition, notFound, outsideTenants } from '#kernel'
import {
  changeOverrides,
  changeToAnyPlan,
  extendTrial,
  type OverridesPatch,
  type OverridesRecord,
  type PlanChange,
} from '../subscriptions/index.ts'
import { undoRemoval } from '../tenant-removal/index.ts'
import {
  changeTenant,
  getTenant,
  lockTenantIfThere,
  reactivateTenant,
  suspendTenant,
  type TenantPatch,
  type TenantRecord,
} from '../tenants/index.ts'
import {
  overridesChangedByOperator,
  planChangedByOperator,
  tenantChangedByOperator,
  tenantReactivatedByOperator,
  tenantSuspendedByOperator,
  trialExtendedByOperator,
} from './events.ts'
import type { TenantAct, TenantChanges } from './schema.ts'

// Each works on the tenant of the context, in a transaction of the system role, and leaves two records: what happened, in
// the tenant's own log, and who of the operators did it, in that of the installation; nothing where nothing changes, which
// false tells. Each throws 404 for no tenant, and 409 `conflict` for one that is deleted, unless that is what it undoes.

/**
 * Changes name or slug, which `operations` may, and what the tenant gets in place of what its plan says, which `billing` may. All
 * of it or nothing. Throws 403 for what is not theirs, 409 `slug_taken`, and what `changeOverrides` throws.
 */
export async function changeByOperator(ctx: Ctx, { limits_override, features_override, ...names }: TenantChanges) {
  // Locked, so that of several at once each tells what it found.
  const tenant = await lockTenantIfThere(ctx.tx, ctx.tenantId)
  if (!tenant) throw notFound()
  const [isNamed, isGiven] = [Object.keys(names).length > 0, Boolean(limits_override ?? features_override)]
  if (isNamed) ctx.requireOperator('operations')
  if (isGiven) ctx.requireOperator('billing')
  requireUndeleted(tenant)
  if (isNamed) await rename(ctx, tenant, names)
  if (isGiven) await override(ctx, { limits_override, features_override })
}

async function rename(ctx: Ctx, tenant: TenantRecord, names: TenantPatch): Promise<void> {
  const [before, after] = [asAct(tenant), asAct(await changeTenant(ctx, names))]
  if (before.name === after.name && before.slug === after.slug) return
  await outsideTenants(ctx).emit(tenantChangedByOperator, { before, after })
}

async function override(ctx: Ctx, patch: OverridesPatch): Promise<void> {
  const { before, after } = await changeOverrides(ctx, patch)
  if (after === before) return
  const { id, name, slug } = await getTenant(ctx.tx, ctx.tenantId)
  const of = (overrides: OverridesRecord) => ({ id, name, slug, ...overrides })
  await outsideTenants(ctx).emit(overridesChangedByOperator, { before: of(before), after: of(after) })
}

/** Keeps everybody out. Throws 409 `conflict` unless the tenant is active. */
export async function suspend(ctx: Ctx, reason: string): Promise<boolean> {
  await suspendTenant(ctx, reason)
  return note(ctx, tenantSuspendedByOperator, { reason })
}

/**
 * Lets everybody in again; a deleted tenant becomes what it was before, also suspended. Throws 409 `conflict` for one that is active, or whose
 * data is being removed already.
 */
export async function reactivate(ctx: Ctx): Promise<boolean> {
  const tenant = await lockTenantIfThere(ctx.tx, ctx.tenantId)
  if (tenant?.status === 'deleted') await undoRemoval(ctx)
  else await reactivateTenant(ctx)
  return note(ctx, tenantReactivatedByOperator)
}

/** Lets the trial last longer. Throws 409 `conflict` where there is none. */
export async function extend(ctx: Ctx, days: number): Promise<boolean> {
  requireUndeleted(await getTenant(ctx.tx, ctx.tenantId))
  await extendTrial(ctx, days)
  return note(ctx, trialExtendedByOperator, { days })
}

/** Chooses a plan, private ones too. Throws what `changeToAnyPlan` throws. */
export async function choosePlan(ctx: Ctx, change: PlanChange): Promise<boolean> {
  const tenant = asAct(requireUndeleted(await getTenant(ctx.tx, ctx.tenantId)))
  const { before, after } = await changeToAnyPlan(ctx, change)
  if (after === before) return false
  const { plan, pending_plan, current_period_end } = after
  const chosen = pending_plan
    ? { plan: pending_plan.code, plan_at: current_period_end }
    : { plan: plan.code, plan_at: ctx.clock.now() }
  await outsideTenants(ctx).emit(planChangedByOperator, {
    before: { ...tenant, plan: before.plan.code },
    after: { ...tenant, ...chosen },
  })
  return true
}

/** Throws 404 for no tenant, 409 `conflict` for one that only waits to be removed. */
function requireUndeleted(tenant: TenantRecord | undefined): TenantRecord {
  if (!tenant) throw notFound()
  if (tenant.status === 'deleted') throw conflict({ detail: 'The tenant is deleted' })
  return tenant
}

async function note(ctx: Ctx, event: EventDefinition, told: Partial<TenantAct> = {}): Promise<true> {
  const after = { ...asAct(await getTenant(ctx.tx, ctx.tenantId)), ...told }
  await outsideTenants(ctx).emit(event, { after })
  return true
}

const asAct = ({ id, name, slug, status }: Pick<TenantAct, 'id' | 'name' | 'slug' | 'status'>): TenantAct => ({
  id,
  name,
  slug,
  status,
  reason: null,
  days: null,
  plan: null,
  plan_at: null,
})
