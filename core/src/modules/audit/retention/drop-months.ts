import { setTimeout as sleep } from 'node:timers/promises'
import { type Ctx, every, SECONDS, sqlState } from '#kernel'
import { deleteMonth, listMonths } from './retention-queries.ts'

const TRIES = 5
const LOCK_NOT_AVAILABLE = '55P03'

/** Drops the months that no tenant keeps a record of, whole. What is in use now is dropped some other hour. */
export const dropMonths = every('50 * * * *', 'audit.drop_months', async (ctx) => {
  const months = await ctx.transaction(({ tx }) => listMonths(tx), { role: 'system' })
  for (const month of months) await dropMonth(ctx, month)
})

/** Each try keeps others waiting for a tenth of a second at most; between them they have their turn. */
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
