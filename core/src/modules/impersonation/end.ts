import { Closed, type Ctx, defineJob, outsideTenants, Uuid, within } from '#kernel'
import { findInterruption, signedOut } from '../auth/index.ts'
import { findTenant } from '../tenants/index.ts'
import { impersonationEnded } from './events.ts'
import { recordOf } from './present.ts'
import { deleteImpersonation, findImpersonation } from './queries.ts'
import type { End } from './schema.ts'

/** An operator who signs out as somebody else ends it, in the same transaction. */
export const endAtSignOut = within(signedOut, 'impersonation.end_at_sign_out', async (ctx) => {
  const { principal } = ctx
  if (!principal?.sessionId || ctx.actor.impersonatorId === null) return
  await recordEnd(ctx, principal.sessionId, 'signed_out')
})

/** When the time is over: notes why it was, unless that was noted. */
export const endImpersonation = defineJob('impersonation.end', {
  payload: Closed({ id: Uuid }),
  handler: async (ctx, { id }) => {
    const row = await findImpersonation(ctx.tx, ctx.tenantId, id)
    if (row) await recordEnd(ctx, id, (await findInterruption(ctx, id, row.user_id)) ?? 'expired')
  },
})

/** Once, however many notice it at the same time. */
async function recordEnd(ctx: Ctx, id: string, end: End): Promise<void> {
  const row = await deleteImpersonation(ctx.tx, ctx.tenantId, id)
  const tenant = row && (await findTenant(ctx.tx, ctx.tenantId))
  if (!tenant) return
  const content = { label: row.user_name, storeId: null, after: { ...recordOf(row, tenant.name), end } }
  await ctx.emit(impersonationEnded, content)
  await outsideTenants(ctx).emit(impersonationEnded, content)
}
