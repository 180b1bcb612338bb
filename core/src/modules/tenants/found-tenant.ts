import { type Ctx, type Founder, newId, permissionDenied } from '#kernel'
import { getUser } from '../users/index.ts'
import { registrationClosed, slugTaken } from './errors.ts'
import { tenantCreated } from './events.ts'
import { presentTenant } from './present.ts'
import { insertSlug, insertTenant, upsertFounded } from './queries.ts'
import type { NewTenant, Tenant } from './schema.ts'
import { slugFromName, slugWithSuffix } from './slugs.ts'
import type { TenantRecord } from './table.ts'

const SUFFIX_ATTEMPTS = 10

/** Fields of a new tenant. Without a slug, one is made from the name. */
export interface Founding {
  id: string
  name: string
  slug?: string
  founder: Founder
}

/**
 * A signed-in person founds another tenant, in a transaction of the new tenant. Throws 403 `registration_closed` where
 * only super admins may found tenants.
 */
export async function openTenant(ctx: Ctx, { name, slug }: NewTenant): Promise<Tenant> {
  if (ctx.config.registration === 'closed' && !ctx.superAdmin)
    throw registrationClosed({ detail: 'Tenants are founded by who runs this installation' })
  const id = newId()
  const work = async (ctx: Ctx) => {
    const person = await getUser(ctx.tx, ctx.userId)
    return presentTenant(
      ctx,
      await foundTenant(ctx, { id, name, slug, founder: { userId: person.id, name: person.name } }),
    )
  }
  return ctx.transaction(work, { tenantId: id })
}

/**
 * Creates a tenant: its row, its slug, and what each module adds to a new tenant. The transaction must be scoped to
 * `id`. Throws 409 `slug_taken` when another tenant has the requested slug, 403 for a person who has founded
 * TENANTS_PER_PERSON tenants.
 */
export async function foundTenant(ctx: Ctx, { id, name, slug, founder }: Founding): Promise<TenantRecord> {
  const now = ctx.clock.now()
  await countFounded(ctx, founder.userId)
  const tenant = await insertTenant(ctx.tx, {
    id,
    name: name.trim(),
    slug: await takeSlug(ctx, id, name, slug),
    owner_id: founder.userId,
    created_at: now,
    updated_at: now,
  })
  await ctx.emit(tenantCreated, { after: presentTenant(ctx, tenant) })
  for (const module of ctx.registry.modules) await module.founding?.(ctx, founder)
  return tenant
}

/** The maximum of the column. */
const MOST_COUNTED = 2_147_483_647

/** The system may found any number for a person. */
async function countFounded(ctx: Ctx, userId: string): Promise<void> {
  const isSystem = ctx.actor.type === 'system' && ctx.principal === null
  const most = isSystem ? MOST_COUNTED : ctx.config.tenantsPerPerson
  if (await upsertFounded(ctx.tx, userId, most)) return
  throw permissionDenied({ detail: `You have founded ${most} tenants, and nobody may found more` })
}

async function takeSlug(ctx: Ctx, tenantId: string, name: string, wanted: string | undefined): Promise<string> {
  const first = wanted ?? slugFromName(name)
  if (first && (await insertSlug(ctx.tx, first, tenantId))) return first
  if (wanted) throw slugTaken()
  for (let attempt = 0; attempt < SUFFIX_ATTEMPTS; attempt++) {
    const slug = slugWithSuffix(name)
    if (await insertSlug(ctx.tx, slug, tenantId)) return slug
  }
  throw slugTaken({ detail: 'No free slug was found for this name; choose one' })
}
