import { isDeepStrictEqual } from 'node:util'
import { type Ctx, notFound, onUnique, type Tx } from '#kernel'
import { slugTaken } from './errors.ts'
import { tenantUpdated } from './events.ts'
import { presentBranding, presentTenant } from './present.ts'
import { findTenant, lockTenant, updateSlug, updateTenant } from './queries.ts'
import type { Branding, BrandingPatch, Tenant, TenantPatch } from './schema.ts'
import type { TenantRecord } from './table.ts'

/** Throws 404 when there is no such tenant. */
export async function getTenant(tx: Tx, id: string): Promise<TenantRecord> {
  const tenant = await findTenant(tx, id)
  if (!tenant) throw notFound()
  return tenant
}

/** Changes name or slug; the directory of slugs is updated too. Throws 409 `slug_taken`. */
export async function changeTenant(ctx: Ctx, { name, slug }: TenantPatch): Promise<Tenant> {
  const before = await lockTenant(ctx.tx, ctx.tenantId)
  const after = { ...before, name: name?.trim() ?? before.name, slug: slug ?? before.slug }
  if (after.slug !== before.slug) {
    await onUnique(updateSlug(ctx.tx, after.slug, after.id), { tenant_slugs_pkey: slugTaken })
  }
  return presentTenant(await saveTenant(ctx, before, after))
}

/** Changes colours and sender's name; absent fields stay, null clears. */
export async function changeBranding(ctx: Ctx, patch: BrandingPatch): Promise<Branding> {
  const before = await lockTenant(ctx.tx, ctx.tenantId)
  const after = { ...before, branding: { ...presentBranding(before), ...patch } }
  return presentBranding(await saveTenant(ctx, before, after))
}

/** Sets another person as the tenant's owner. The caller checks that they may be. */
export async function changeOwner(ctx: Ctx, userId: string): Promise<TenantRecord> {
  const before = await lockTenant(ctx.tx, ctx.tenantId)
  return saveTenant(ctx, before, { ...before, owner_id: userId })
}

/** Saves and records a change of the locked row `before`; does nothing when nothing differs. */
async function saveTenant(ctx: Ctx, before: TenantRecord, after: TenantRecord): Promise<TenantRecord> {
  if (isDeepStrictEqual(presentTenant(before), presentTenant(after))) return before
  const tenant = await updateTenant(ctx.tx, { ...after, updated_at: ctx.clock.now() })
  await ctx.emit(tenantUpdated, { before: presentTenant(before), after: presentTenant(tenant) })
  return tenant
}
