import { changeOf, on, recipientOf } from '#kernel'
import { listOwners } from '../../members/index.ts'
import { getTenant, tenantSettingsUpdated } from '../../tenants/index.ts'
import { retentionShortenedMail } from './mails.ts'
import { auditRetentionPending } from './period.ts'

/** Mails the owners that the audit log will be kept for a shorter time, while that can still be withdrawn. */
export const warnOwners = on(tenantSettingsUpdated, 'audit.warn_owners', async (ctx, event) => {
  const pending = changeOf(event, auditRetentionPending)?.after
  if (!pending) return
  const { name: tenantName } = await getTenant(ctx.tx, ctx.tenantId)
  for (const owner of await listOwners(ctx)) {
    const data = {
      name: owner.name,
      tenantName,
      by: event.actor.label,
      days: pending.days,
      at: pending.takes_effect_at,
    }
    await ctx.mail(retentionShortenedMail, { ...recipientOf(owner), data })
  }
})
