import { setTimeout as sleep } from 'node:timers/promises'
import { type Ctx, every, SECONDS, sqlState } from '#kernel'
import { deleteMonth, listMonths } from './retention-queries.ts'

const TRIES = 5
const LOCK_NOT_AVAILABLE = '55P03'

/** Drops partitions of months of which no tenant keeps a record. One that is in use is dropped another hour. */
export const dropMonths = every('50 * * * *', 'audit.drop_months', async (ctx) => {
  const months = await ctx.transaction(({ tx }) => listMonths(tx), { role: 'system' })
  for (const month of months) await dropMonth(ctx, month)
})

/** Each attempt blocks others for at most a tenth of a second, with pauses between attempts. */
async function dropMonth(ctx: Ctx, month: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      const isDropped = await ctx.transaction(({ tx }) => deleteMonth(tx, month), { role: 'system' })
      if (isDropped) ctx.log.info({ month }, 'a month of the audit log was dropped')
      return
    } catch (error) {
      if (sqlState(error) !== LOCK_NOT_AVAILABLE) {
        ctx.log.error({ err: error, month }, 'a month of the audit log could not be dropped')
        return
      }
      if (attempt < TRIES) await sleep(1 * SECONDS)
      else {
        ctx.log.info({ month }, 'a month of the audit log is in use; it is dropped another time')
        return
      }
    }
  }
}
