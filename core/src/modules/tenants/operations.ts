import { isDeepStrictEqual } from 'node:util'
import { type Ctx, invalidRequest, notFound, onUnique, type Tx } from '#kernel'
import { keepPicture, type PictureForm, replacePicture } from '../pictures/index.ts'
import { checkColors } from './colors.ts'
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
  return presentTenant(ctx, await saveTenant(ctx, before, after))
}

/** Changes colours and sender's name; absent fields stay, null clears. Throws 400 for a colour that could not be seen. */
export async function changeBranding(ctx: Ctx, patch: BrandingPatch): Promise<Branding> {
  const errors = [...checkColors(patch)]
  if (errors.length > 0) throw invalidRequest({ errors })
  const before = await lockTenant(ctx.tx, ctx.tenantId)
  const after = { ...before, branding: { ...before.branding, ...patch } }
  return presentBranding(ctx, await saveTenant(ctx, before, after))
}

/** Takes a logo in and shows it in place of the one before. Throws what `keepPicture` throws. */
export const addLogo = (ctx: Ctx, form: PictureForm): Promise<Branding> => keepPicture(ctx, 'logo', form, changeLogo)

/** Shows none. */
export async function removeLogo(ctx: Ctx): Promise<void> {
  await changeLogo(ctx, null)
}

/** Takes the logo from a tenant that is removed for good, without a record; the picture is to go next. */
export async function takeLogo(tx: Tx, id: string): Promise<void> {
  await updateTenant(tx, { ...(await lockTenant(tx, id)), logo_id: null })
}

async function changeLogo(ctx: Ctx, logo_id: string | null): Promise<Branding> {
  const before = await lockTenant(ctx.tx, ctx.tenantId)
  return presentBranding(ctx, await saveTenant(ctx, before, { ...before, logo_id }))
}

/** Sets another person as the tenant's owner. The caller checks that they may be. */
export async function changeOwner(ctx: Ctx, userId: string): Promise<TenantRecord> {
  const before = await lockTenant(ctx.tx, ctx.tenantId)
  return saveTenant(ctx, before, { ...before, owner_id: userId })
}

/** Saves and records a change of the locked row `before`; does nothing when nothing differs. */
async function saveTenant(ctx: Ctx, before: TenantRecord, after: TenantRecord): Promise<TenantRecord> {
  if (isDeepStrictEqual(presentTenant(ctx, before), presentTenant(ctx, after))) return before
  await replacePicture(ctx, before.logo_id, after.logo_id)
  const tenant = await updateTenant(ctx.tx, { ...after, updated_at: ctx.clock.now() })
  await ctx.emit(tenantUpdated, { before: presentTenant(ctx, before), after: presentTenant(ctx, tenant) })
  return tenant
}
