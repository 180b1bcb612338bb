import {
  type Ctx,
  DAYS,
  every,
  greatest,
  HOURS,
  type IfPaused,
  type MailDefinition,
  MINUTES,
  momentAfter,
  sha256,
} from '#kernel'
import { deletePauses, deletePausesBefore, lockPauses, updatePause } from './address-queries.ts'
import { comparable } from './new-mail.ts'

type Paused = Pick<MailDefinition, 'kind' | 'pause'>

/** So many mails of a kind go to an address within a time. */
interface Rule {
  key: string
  max: number
  windowMs: number
}

/**
 * Mails that anybody may cause: so that nobody fills a mailbox with them, however many tenants, addresses and people they
 * ask as. Each kind counts on its own, because whoever is invited everywhere must still get a link for a new password.
 */
const CAPS = [
  { max: 5, windowMs: 1 * HOURS },
  { max: 20, windowMs: 1 * DAYS },
]

/** When a mail may leave: now, later, or (null) not at all. Takes the turn that is now. */
export async function takeTurn(ctx: Ctx, mail: Paused, to: string, ifPaused: IfPaused): Promise<string | null> {
  const now = ctx.clock.now()
  if (mail.pause === null || ctx.config.rateLimitFactor === 0) return now
  const pause = pauseOf(ctx, mail, to)
  const caps = capsOf(ctx, mail, to)
  const asked = ifPaused === 'send' ? caps : [pause, ...caps]
  const free = await takeFree(ctx, now, { asked, counted: [pause, ...caps] })
  return free > now && ifPaused === 'skip' ? null : free
}

/** Whether this was not said to the address within so many minutes. Takes the turn. */
export async function takeFirst(ctx: Ctx, { kind }: Paused, to: string, said: { content: unknown; minutes: number }) {
  if (ctx.config.rateLimitFactor === 0) return true
  const key = keyOf({ kind, pause: null }, to, ctx.tenant ?? '', JSON.stringify(said.content))
  const rule = { key, max: 1, windowMs: (said.minutes * MINUTES) / ctx.config.rateLimitFactor }
  const now = ctx.clock.now()
  return (await takeFree(ctx, now, { asked: [rule], counted: [rule] })) === now
}

/** The same for a mail that a person has sent once more, whatever its kind: it counts as one of them. */
export async function takeResendTurn(ctx: Ctx, mail: Paused, to: string): Promise<string> {
  const now = ctx.clock.now()
  if (ctx.config.rateLimitFactor === 0) return now
  const rules = capsOf(ctx, mail, to)
  return takeFree(ctx, now, { asked: rules, counted: rules })
}

/** Ends a pause after the person has used the link of the last mail: they have wanted what they got. */
export async function endPause(ctx: Ctx, mail: Paused, to: string): Promise<void> {
  await deletePauses(ctx.tx, [pauseKey(ctx, mail, to), keyOf(mail, mailboxOf(to))])
}

/** Deletes pauses that have ended. */
export const forgetPauses = every('23 * * * *', 'mail.forget_pauses', async (ctx) => {
  await ctx.transaction(({ tx, clock }) => deletePausesBefore(tx, clock.now()), { role: 'system' })
})

const keyOf = ({ kind }: Paused, ...parts: string[]): string =>
  sha256([kind, ...parts].join('\0')).toString('base64url')

/** Where mails to an address arrive: `ann+news@example.com` and whatever else stands behind the sign is Ann's mailbox. */
const mailboxOf = (to: string): string => comparable(to).replace(/(?<=.)\+[^@]*(?=@[^@]*$)/, '')

/** Mails such as invitations have a pause per tenant, so that one tenant does not delay another's. */
const pauseKey = ({ tenant }: Ctx, mail: Paused, to: string): string =>
  mail.pause?.per === 'tenant' ? keyOf(mail, to, tenant ?? '') : keyOf(mail, to)

function pauseOf(ctx: Ctx, mail: Paused, to: string): Rule {
  const windowMs = ((mail.pause?.minutes ?? 0) * MINUTES) / ctx.config.rateLimitFactor
  return { key: pauseKey(ctx, mail, to), max: 1, windowMs }
}

function capsOf({ config }: Ctx, mail: Paused, to: string): Rule[] {
  return CAPS.map(({ max, windowMs }) => ({
    key: keyOf(mail, mailboxOf(to)),
    max: Math.max(Math.floor(max * config.rateLimitFactor), 1),
    windowMs,
  }))
}

/**
 * `now`, and the turn is taken; or when all rules that are asked allow one. Of simultaneous transactions each waits for the
 * one before, and sees what it took.
 */
async function takeFree(
  ctx: Ctx,
  now: string,
  { asked, counted }: { asked: Rule[]; counted: Rule[] },
): Promise<string> {
  const keys = [...new Set(counted.map(({ key }) => key))].sort()
  const rows = await lockPauses(ctx.tx, keys, now)
  const taken = new Map(rows.map(({ key, taken }) => [key, taken]))
  const free = greatest(now, ...asked.map((rule) => freeFrom(rule, taken.get(rule.key) ?? [], now)))
  if (free > now) return free
  for (const key of keys) {
    const keptMs = Math.max(...counted.filter((rule) => rule.key === key).map(({ windowMs }) => windowMs))
    const kept = [...within(taken.get(key) ?? [], now, keptMs), now]
    await updatePause(ctx.tx, { key, taken: kept, ends_at: momentAfter(now, keptMs) })
  }
  return now
}

/** When a rule allows the next mail. */
function freeFrom({ max, windowMs }: Rule, taken: readonly string[], now: string): string {
  const counting = within(taken, now, windowMs)
  const oldest = counting[counting.length - max]
  return oldest === undefined ? now : momentAfter(oldest, windowMs)
}

/** Clocks of one installation differ by less. */
const SKEW_MS = 5 * MINUTES

/** The moments that still count, the oldest first; none that a wrong clock has written. */
function within(taken: readonly string[], now: string, windowMs: number): string[] {
  const [from, to] = [momentAfter(now, -windowMs), momentAfter(now, SKEW_MS)]
  return taken.filter((moment) => moment > from && moment <= to).sort()
}
