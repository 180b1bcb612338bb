import { createHash } from 'node:crypto'
import { type Ctx, DAYS, every, fromNow, MINUTES } from '#kernel'
import { deletePause, deletePausesBefore, insertPause, upsertNextPause, upsertPause } from './queries.ts'
import type { MailKind } from './templates.ts'

/**
 * Mails that somebody can have sent to an address that is not theirs, again and again: one of a kind in so many minutes.
 * The others follow what only the person themselves, or who is trusted in their tenant, can do.
 */
const PAUSE_MINUTES: Partial<Record<MailKind, number>> = {
  email_taken: 10,
  reset_password: 5,
  verify_email: 2,
  invitation: 2,
}

/** What becomes of a mail that comes too soon after one of its kind. */
export type IfPaused =
  /** Nothing: the earlier one says the same. */
  | 'skip'
  /** It goes out when the pause is over. */
  | 'wait'
  /** It goes out: the earlier one is worth nothing any more, which itself takes long. */
  | 'send'

/** Of whom a pause is: invitations of one tenant do not keep another's waiting. */
function keyOf({ tenant }: Ctx, kind: MailKind, to: string): string {
  const parts = kind === 'invitation' ? [kind, to, tenant ?? ''] : [kind, to]
  return createHash('sha256').update(parts.join('\0')).digest('base64url')
}

/** When a mail may go out, and then begins the pause after it; null: not at all. */
export async function takeTurn(ctx: Ctx, kind: MailKind, to: string, ifPaused: IfPaused): Promise<string | null> {
  const now = ctx.clock.now()
  const { rateLimitFactor } = ctx.config
  const minutes = PAUSE_MINUTES[kind]
  if (minutes === undefined || rateLimitFactor === 0) return now
  const lengthMs = (minutes * MINUTES) / rateLimitFactor
  const { clock } = ctx
  const pause = { key: keyOf(ctx, kind, to), now, ends_at: fromNow(clock, lengthMs), latest: fromNow(clock, 1 * DAYS) }
  if (ifPaused === 'skip') return (await insertPause(ctx.tx, pause)) ? now : null
  if (ifPaused === 'wait') {
    const end = await upsertNextPause(ctx.tx, pause, lengthMs)
    return new Date(Date.parse(end) - lengthMs).toISOString()
  }
  await upsertPause(ctx.tx, pause)
  return now
}

/** Ends a pause: the person has used what the last mail of the kind brought, so it has done its part. */
export async function endPause(ctx: Ctx, kind: MailKind, to: string): Promise<void> {
  await deletePause(ctx.tx, keyOf(ctx, kind, to))
}

/** Forgets pauses that are over. */
export const forgetPauses = every('23 * * * *', 'mail.forget_pauses', async (ctx) => {
  await ctx.transaction(({ tx, clock }) => deletePausesBefore(tx, clock.now()), { role: 'system' })
})
