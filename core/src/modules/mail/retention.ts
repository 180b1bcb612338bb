import { type Ctx, DAYS, every, everyTenant, fromNow } from '#kernel'
import { deleteDeadAddressesBefore } from './address-queries.ts'
import { deleteMailsBefore, listTenantsToForget, updateMailsEmptied } from './queries.ts'
import { DEAD_MS } from './suppressions.ts'

/** For so long a mail can be sent once more; what it says, links with tokens included, is kept no longer. */
const TEXT_DAYS = 7
const BATCH = 1_000

/** Removes mails after `MAIL_LOG_DAYS`, and before that what they say. */
export const forgetMails = every('41 3 * * *', 'mail.forget_mails', async (ctx) => {
  const forgotten = forgottenNow(ctx)
  await everyTenant(ctx, {
    name: 'mail.forget_mails',
    list: (tx, page) => listTenantsToForget(tx, { ...page, ...forgotten }),
    async work({ tx, tenantId }) {
      await updateMailsEmptied(tx, tenantId, forgotten)
      while ((await deleteMailsBefore(tx, tenantId, forgotten, BATCH)) === BATCH);
    },
  })
  const isMore = () => ctx.transaction(({ tx }) => deleteMailsBefore(tx, null, forgotten, BATCH), { role: 'system' })
  while ((await isMore()) === BATCH);
  await ctx.transaction(({ tx }) => deleteDeadAddressesBefore(tx, fromNow(ctx.clock, -DEAD_MS)), { role: 'system' })
})

function forgottenNow({ clock, config }: Ctx) {
  const days = config.mail.logDays
  return { removed: fromNow(clock, -days * DAYS), emptied: fromNow(clock, -Math.min(days, TEXT_DAYS) * DAYS) }
}
