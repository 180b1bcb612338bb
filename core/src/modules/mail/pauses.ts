import { createHash } from 'node:crypto'
import { type Ctx, DAYS, every, fromNow, type IfPaused, type MailDefinition, MINUTES } from '#kernel'
import { deletePause, deletePausesBefore, insertPause, upsertNextPause, upsertPause } from './queries.ts'

type Paused = Pick<MailDefinition, 'kind' | 'pause'>

/** Of whom a pause is: invitations of one tenant, say, do not keep another's waiting. */
function keyOf({ tenant }: Ctx, { kind, pause }: Paused, to: string): string {
  const parts = pause?.per === 'tenant' ? [kind, to, tenant ?? ''] : [kind, to]
  return createHash('sha256').update(parts.join('\0')).digest('base64url')
}

/** When a mail may go out, and then begins the pause after it; null: not at all. */
export async function takeTurn(ctx: Ctx, mail: Paused, to: string, ifPaused: IfPaused): Promise<string | null> {
  const now = ctx.clock.now()
  const { rateLimitFactor } = ctx.config
  if (mail.pause === null || rateLimitFactor === 0) return now
  const lengthMs = (mail.pause.minutes * MINUTES) / rateLimitFactor
  const { clock } = ctx
  const pause = { key: keyOf(ctx, mail, to), now, ends_at: fromNow(clock, lengthMs), latest: fromNow(clock, 1 * DAYS) }
  if (ifPaused === 'skip') return (await insertPause(ctx.tx, pause)) ? now : null
  if (ifPaused === 'wait') {
    const end = await upsertNextPause(ctx.tx, pause, lengthMs)
    return new Date(Date.parse(end) - lengthMs).toISOString()
  }
  await upsertPause(ctx.tx, pause)
  return now
}

/** Ends a pause: the person has used what the last mail of the kind brought, so it has done its part. */
export async function endPause(ctx: Ctx, mail: Paused, to: string): Promise<void> {
  await deletePause(ctx.tx, keyOf(ctx, mail, to))
}

/** Forgets pauses that are over. */
export const forgetPauses = every('23 * * * *', 'mail.forget_pauses', async (ctx) => {
  await ctx.transaction(({ tx, clock }) => deletePausesBefore(tx, clock.now()), { role: 'system' })
})
