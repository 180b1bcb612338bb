import { type Ctx, DAYS, every, fromNow } from '#kernel'
import { getTenant } from '../tenants/index.ts'
import { reminderMail } from './mails.ts'
import { listToRemind, type ReminderMoments, updateReminded } from './queries.ts'
import { mailOwners } from './tell-owners.ts'

/** A week and a day before a tenant is removed, its owners are told once more. */
export const remindOwners = every('52 * * * *', 'tenant_removal.remind', async (ctx) => {
  const moments = {
    now: ctx.clock.now(),
    week: fromNow(ctx.clock, 7 * DAYS),
    day: fromNow(ctx.clock, 1 * DAYS),
  }
  const system = { role: 'system', tenantId: null } as const // a literal of TransactionOptions
  const found = await ctx.transaction(({ tx }) => listToRemind(tx, moments), { ...system, readOnly: true })
  for (const { tenant_id } of found) await remind(ctx, tenant_id, moments)
})

async function remind(ctx: Ctx, tenantId: string, moments: ReminderMoments): Promise<void> {
  try {
    await ctx.transaction(
      async (ctx) => {
        const removal = await updateReminded(ctx.tx, tenantId, moments)
        if (!removal) return
        const { name } = await getTenant(ctx.tx, tenantId)
        await mailOwners(ctx, reminderMail, { tenantName: name, at: removal.purge_at })
      },
      { role: 'system', tenantId },
    )
  } catch (error) {
    // One keeps no other from its turn.
    ctx.log.error({ err: error, tenant_id: tenantId }, 'the owners of a tenant could not be reminded of its removal')
  }
}
