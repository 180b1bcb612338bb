import { setTimeout as sleep } from 'node:timers/promises'
import { type Ctx, DAYS, every, everyTenant, firstIdAt, fromNow, momentAt, SECONDS, sqlState } from '#kernel'
import { notificationConfiguration } from '../configuration.ts'
import { removeOld } from './remove-old.ts'
import { deleteMonth, deleteStaleSends, insertMonths, listMonths, listTenantsWith, type Old } from './upkeep-queries.ts'

/** Removes what has expired. It is neither shown nor counted from its moment on, so nobody waits for this. */
export const removeExpired = every('* * * * *', 'notifications.remove_expired', (ctx) =>
  everyTenant(ctx, {
    name: 'notifications.remove_expired',
    list: (tx, page) => listTenantsWith(tx, { expiredAt: ctx.clock.now() }, page),
    work: async (ctx) => void (await removeOld(ctx, { expiredAt: ctx.clock.now() })),
  }),
)

/** Months that are there ahead, this one included. */
const MONTHS_AHEAD = 3

/** Makes the months that come. */
export const makeMonths = every('35 * * * *', 'notifications.make_months', async (ctx) => {
  await ctx.transaction(({ tx }) => insertMonths(tx, ctx.clock.now(), MONTHS_AHEAD), { role: 'system' })
})

/** Runs in which what was never read is removed from one month; each takes so many of a tenant. */
const MOST_ROUNDS = 100

/** Drops whole months that are older than NOTIFICATION_RETENTION_DAYS. What was never read is taken from the counts first. */
export const dropMonths = every('20 * * * *', 'notifications.drop_months', async (ctx) => {
  const { NOTIFICATION_RETENTION_DAYS: days } = ctx.config.of(notificationConfiguration)
  const keptFrom = fromNow(ctx.clock, -days * DAYS)
  const months = await ctx.transaction(({ tx }) => listMonths(tx), { role: 'system' })
  const over = months.filter((month) => endOf(month) <= keptFrom)
  const last = over.at(-1)
  if (last !== undefined) await forgetUnread(ctx, { unreadBefore: firstIdAt(Date.parse(endOf(last))) })
  for (const month of over) await dropMonth(ctx, month)
  await forgetSends(ctx)
})

/** The first moment after a month. */
function endOf(month: string): string {
  const [year, number] = [Number(month.slice(0, 4)), Number(month.slice(5, 7))]
  return momentAt(Date.UTC(year, number, 1))
}

async function forgetUnread(ctx: Ctx, old: Old): Promise<void> {
  for (let round = 0, isMore = true; isMore && round < MOST_ROUNDS; round++) {
    isMore = false
    await everyTenant(ctx, {
      name: 'notifications.drop_months',
      list: (tx, page) => listTenantsWith(tx, old, page),
      work: async (ctx) => {
        if (!(await removeOld(ctx, old))) isMore = true
      },
    })
  }
}

const TRIES = 5
const LOCK_NOT_AVAILABLE = '55P03'

/** Each attempt keeps others waiting for a tenth of a second at most. One that is in use is dropped another hour. */
async function dropMonth(ctx: Ctx, month: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      const isDropped = await ctx.transaction(({ tx }) => deleteMonth(tx, month), { role: 'system' })
      if (isDropped) ctx.log.info({ month }, 'a month of notifications was dropped')
      return
    } catch (error) {
      if (sqlState(error) !== LOCK_NOT_AVAILABLE) throw error
      if (attempt === TRIES) {
        ctx.log.info({ month }, 'a month of notifications is in use; it is dropped another time')
        return
      }
      await sleep(1 * SECONDS)
    }
  }
}

const SENDS_KEPT_MS = 7 * DAYS
const SENDS_BATCH = 5_000

/** What a channel would not take for days. */
async function forgetSends(ctx: Ctx): Promise<void> {
  const before = fromNow(ctx.clock, -SENDS_KEPT_MS)
  const remove = () => ctx.transaction(({ tx }) => deleteStaleSends(tx, before, SENDS_BATCH), { role: 'system' })
  while ((await remove()) === SENDS_BATCH);
}
