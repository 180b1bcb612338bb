import { changeOf, on } from '#kernel'
import { listOwners } from '../../members/index.ts'
import { getTenant, tenantSettingsUpdated } from '../../tenants/index.ts'
import { retentionShortenedMail } from './mails.ts'
import { auditRetentionPending } from './period.ts'

/** Tells the owners by mail that what happened will be kept for a shorter time, while it can still be taken back. */
export const warnOwners = on(tenantSettingsUpdated, 'audit.warn_owners', async (ctx, event) => {
  const pending = changeOf(event, auditRetentionPending)?.after
  if (!pending) return
  const { name: tenantName } = await getTenant(ctx.tx, ctx.tenantId)
  for (const { email, locale, timezone, name } of await listOwners(ctx)) {
    const data = { name, tenantName, by: event.actor.label, days: pending.days, at: pending.takes_effect_at }
    await ctx.mail(retentionShortenedMail, { to: email, locale, timezone, data })
  }
})
