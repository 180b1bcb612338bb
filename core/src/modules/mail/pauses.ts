import {
  type Ctx,
  DAYS,
  every,
  fromNow,
  type IfPaused,
  type MailDefinition,
  MINUTES,
  momentAfter,
  sha256,
} from '#kernel'
import { deletePause, deletePausesBefore, insertPause, upsertNextPause, upsertPause } from './queries.ts'

type Paused = Pick<MailDefinition, 'kind' | 'pause'>

/**
 * The key of a pause. Mails such as invitations have a pause per tenant, so that one tenant does not delay another's.
 */
function keyOf({ tenant }: Ctx, { kind, pause }: Paused, to: string): string {
  const parts = pause?.per === 'tenant' ? [kind, to, tenant ?? ''] : [kind, to]
  return sha256(parts.join('\0')).toString('base64url')
}

/** When a mail may be sent; starts the pause after it. Null: it is not sent. */
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
    return momentAfter(end, -lengthMs)
  }
  await upsertPause(ctx.tx, pause)
  return now
}

/** Ends a pause after the person has used the link of the last mail. */
export async function endPause(ctx: Ctx, mail: Paused, to: string): Promise<void> {
  await deletePause(ctx.tx, keyOf(ctx, mail, to))
}

/** Deletes pauses that have ended. */
export const forgetPauses = every('23 * * * *', 'mail.forget_pauses', async (ctx) => {
  await ctx.transaction(({ tx, clock }) => deletePausesBefore(tx, clock.now()), { role: 'system' })
})
