import { type Ctx, DAYS, every, everyTenant, fromNow, recipientOf, type SweepPage, type Tx } from '#kernel'
import { findMember, listOwners } from '../../members/index.ts'
import { getTenant } from '../../tenants/index.ts'
import { findUser, type UserRow } from '../../users/index.ts'
import { apiKeyExpiring } from '../events.ts'
import { keysExpiringMail } from '../mails.ts'
import { REMINDER_DAYS } from '../new-keys.ts'
import { keyExpiringNotice } from '../notifications.ts'
import { presentKey } from '../present.ts'
import { listTenantsWithReminders, updateReminded } from '../queries.ts'
import type { ApiKeyRow } from '../table.ts'

/** Once an hour: says which keys will expire within a week, and within a day; each once. */
export const remind = every('23 * * * *', 'api_keys.remind', async (ctx) => {
  const list = (tx: Tx, page: SweepPage) => listTenantsWithReminders(tx, { ...page, ...moments(ctx) })
  await everyTenant(ctx, { name: 'api_keys.remind', list, work: remindTenant })
})

/** Now, and the moments before which a key is spoken of. */
function moments({ clock }: Pick<Ctx, 'clock'>) {
  const [week, day] = REMINDER_DAYS.map((days) => fromNow(clock, days * DAYS))
  return { now: clock.now(), week: week!, day: day! } // of two numbers
}

/** In one transaction: what is marked as said is said. */
async function remindTenant(ctx: Ctx): Promise<void> {
  const keys = await updateReminded(ctx.tx, ctx.tenantId, moments(ctx))
  if (keys.length === 0) return
  for (const key of keys) {
    const shown = presentKey(key)
    await ctx.emit(apiKeyExpiring, { before: shown, after: shown })
  }
  const tenant = await getTenant(ctx.tx, ctx.tenantId)
  for (const [makerId, made] of Map.groupBy(keys, ({ created_by }) => created_by)) {
    const people = await recipients(ctx, makerId)
    for (const { id, name, key_prefix: prefix, expires_at } of made)
      if (expires_at) await ctx.notify(keyExpiringNotice, { to: people, data: { id, name, prefix, expires_at } })
    for (const person of people) {
      const data = { name: person.name, tenantName: tenant.name, keys: made.map(inMail) }
      await ctx.mail(keysExpiringMail, { ...recipientOf(person), data })
    }
  }
}

const inMail = ({ name, key_prefix, expires_at }: ApiKeyRow) => ({
  keyName: name,
  keyPrefix: key_prefix,
  expiresAt: expires_at ?? '',
})

/** The maker while they are a member, else the owners. */
async function recipients(ctx: Ctx, makerId: string): Promise<UserRow[]> {
  const member = await findMember(ctx.tx, ctx.tenantId, makerId)
  const maker = member?.status === 'active' ? await findUser(ctx.tx, makerId) : undefined
  return maker?.status === 'active' ? [maker] : listOwners(ctx)
}
