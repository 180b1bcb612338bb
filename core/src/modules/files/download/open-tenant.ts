import { type Ctx, notFound } from '#kernel'
import { findTenant } from '../../tenants/index.ts'

/** Throws 404 unless the tenant works: nothing of one that is suspended or deleted is served, whatever leads to it. */
export async function requireOpen(ctx: Ctx): Promise<void> {
  const tenant = await findTenant(ctx.tx, ctx.tenantId)
  if (tenant?.status !== 'active') throw notFound()
}
