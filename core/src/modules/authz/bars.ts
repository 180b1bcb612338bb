import type { Ctx } from '#kernel'
import { findMember } from '../members/index.ts'
import { getStore } from '../stores/index.ts'
import { getTenant } from '../tenants/index.ts'
import { findUser } from '../users/index.ts'
import type { Reason } from './schema.ts'

/**
 * Why somebody may do nothing at all in the tenant, whatever they hold; undefined when nothing bars them. `userId` null: a
 * credential that belongs to the tenant and to no person, such as an API key.
 */
export async function findBar(ctx: Ctx, userId: string | null): Promise<Reason | undefined> {
  const [tenant, absence] = await Promise.all([
    getTenant(ctx.tx, ctx.tenantId),
    userId === null ? undefined : findAbsence(ctx, userId),
  ])
  return tenant.status === 'active' ? absence : 'tenant_suspended'
}

async function findAbsence(ctx: Ctx, userId: string): Promise<Reason | undefined> {
  const [member, user] = await Promise.all([findMember(ctx.tx, ctx.tenantId, userId), findUser(ctx.tx, userId)])
  // An unknown person, one of another tenant, and an invited one get the same answer.
  if (!member || member.status === 'invited') return 'not_member'
  return member.status === 'disabled' || user?.status === 'disabled' ? 'member_disabled' : undefined
}

/**
 * Throws 404 for a store that is not the tenant's. A caller whose rights are limited to some stores does not learn
 * which others exist: for them an unknown store is like one in which they hold nothing.
 */
export async function requireKnownStore(ctx: Ctx, storeId: string): Promise<void> {
  // Something else that is held for the whole tenant shows nobody its stores.
  if (ctx.can('store.view', storeId)) await getStore(ctx.tx, ctx.tenantId, storeId)
}
