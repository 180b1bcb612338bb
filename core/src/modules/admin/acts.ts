import { type Ctx, type EventDefinition, outsideTenants } from '#kernel'
import { changeToAnyPlan, extendTrial, type PlanChange } from '../subscriptions/index.ts'
import { changeTenant, getTenant, reactivateTenant, suspendTenant, type TenantPatch } from '../tenants/index.ts'
import {
  planChangedByOperator,
  tenantChangedByOperator,
  tenantReactivatedByOperator,
  tenantSuspendedByOperator,
  trialExtendedByOperator,
} from './events.ts'
import type { TenantAct } from './schema.ts'

// Each works on the tenant of the context, in a transaction of the system role, and leaves two records: what happened, in
// the tenant's own log, and who of the operators did it, in that of the installation. Each throws 404 for no tenant.

/** Changes name or slug. Throws 409 `slug_taken`. */
export async function rename(ctx: Ctx, patch: TenantPatch): Promise<void> {
  const before = asAct(await getTenant(ctx.tx, ctx.tenantId))
  const after = asAct(await changeTenant(ctx, patch))
  if (before.name === after.name && before.slug === after.slug) return
  await outsideTenants(ctx).emit(tenantChangedByOperator, { before, after })
}

/** Keeps everybody out. Throws 409 `conflict` unless the tenant is active. */
export async function suspend(ctx: Ctx, reason: string): Promise<void> {
  await suspendTenant(ctx, reason)
  await note(ctx, tenantSuspendedByOperator, { reason })
}

/** Lets everybody in again. Throws 409 `conflict` unless the tenant is suspended. */
export async function reactivate(ctx: Ctx): Promise<void> {
  await reactivateTenant(ctx)
  await note(ctx, tenantReactivatedByOperator)
}

/** Lets the trial last longer. Throws 409 `conflict` where there is none. */
export async function extend(ctx: Ctx, days: number): Promise<void> {
  await getTenant(ctx.tx, ctx.tenantId)
  await extendTrial(ctx, days)
  await note(ctx, trialExtendedByOperator, { days })
}

/** Chooses a plan, private ones too. Throws what `changeToAnyPlan` throws. */
export async function choosePlan(ctx: Ctx, change: PlanChange): Promise<void> {
  await getTenant(ctx.tx, ctx.tenantId)
  const { plan, pending_plan } = await changeToAnyPlan(ctx, change)
  await note(ctx, planChangedByOperator, { plan: (pending_plan ?? plan).code })
}

async function note(ctx: Ctx, event: EventDefinition, told: Partial<TenantAct> = {}): Promise<void> {
  const after = { ...asAct(await getTenant(ctx.tx, ctx.tenantId)), ...told }
  await outsideTenants(ctx).emit(event, { after })
}

const asAct = ({ id, name, slug, status }: Pick<TenantAct, 'id' | 'name' | 'slug' | 'status'>): TenantAct => ({
  id,
  name,
  slug,
  status,
  reason: null,
  days: null,
  plan: null,
})
