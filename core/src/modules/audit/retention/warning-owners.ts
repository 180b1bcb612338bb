import { isDeepStrictEqual } from 'node:util'
import { on } from '#kernel'
import { listOwners } from '../../members/index.ts'
import { getTenant, tenantSettingsUpdated } from '../../tenants/index.ts'
import { retentionShortenedMail } from './mails.ts'

/** Tells the owners by mail that what happened will be kept for a shorter time, while it can still be taken back. */
export const warnOwners = on(tenantSettingsUpdated, 'audit.warn_owners', async (ctx, { before, after, actor }) => {
  const pending = after?.audit_retention_pending
  if (!pending || isDeepStrictEqual(pending, before?.audit_retention_pending)) return
  const { name: tenantName } = await getTenant(ctx.tx, ctx.tenantId)
  for (const { email, locale, timezone, name } of await listOwners(ctx)) {
    const data = { name, tenantName, by: actor.label, days: pending.days, at: pending.takes_effect_at }
    await ctx.mail(retentionShortenedMail, { to: email, locale, timezone, data })
  }
})
