import { afterFailure, type Clock, conflict, HOURS, MINUTES, type RetryPolicy, SECONDS } from '#kernel'
import type { MailReason, MailRow, MailStatus } from './table.ts'

/** What can happen to a mail: at an attempt, by a report of a bounce, or by a person. */
export type Happening =
  /** The mail server took it. */
  | { name: 'taken'; reply: string | null }
  /** It was not taken this time. */
  | { name: 'put_off'; reply: string | null; reason?: MailReason }
  /** The mail server will never take it. */
  | { name: 'refused'; reply: string | null }
  /** Nobody is at that address. */
  | { name: 'bounced'; reply: string | null }
  /** The recipient called it unwanted. */
  | { name: 'complained' }
  /** Its address is on the suppression list. */
  | { name: 'suppressed'; reason: MailReason }
  /** Its address is spared until then. */
  | { name: 'told_to_wait'; until: string }
  /** It was not let out: by a person, or because it is of no use any more. */
  | { name: 'canceled'; reason: MailReason }

const WAITING: Partial<Record<Happening['name'], readonly MailStatus[]>> = {
  taken: ['sent'],
  put_off: ['deferred', 'failed'],
  refused: ['failed'],
  bounced: ['bounced'],
  suppressed: ['suppressed'],
  canceled: ['canceled'],
}

/** The state machine: what may happen in each state, and which states it may lead to. */
export const TRANSITIONS: Readonly<Record<MailStatus, Partial<Record<Happening['name'], readonly MailStatus[]>>>> = {
  queued: { ...WAITING, told_to_wait: ['queued'] },
  deferred: { ...WAITING, told_to_wait: ['deferred'] },
  // What was taken may still come back, hours later.
  sent: { bounced: ['bounced'], complained: ['sent'] },
  bounced: {},
  suppressed: {},
  failed: {},
  canceled: {},
}

/** Links in mails live for an hour or more, so it is tried often at first. */
export const RETRIES: RetryPolicy = {
  delaysMs: [15 * SECONDS, 1 * MINUTES, 5 * MINUTES, 15 * MINUTES, 1 * HOURS, 2 * HOURS, 4 * HOURS],
  lastRepeats: true,
  giveUpMs: 24 * HOURS,
}

export const isWaiting = ({ status }: Pick<MailRow, 'status'>): boolean => status === 'queued' || status === 'deferred'

/** Columns of a mail that change. */
export type MailChange = Partial<Omit<MailRow, 'id'>>

/** The columns of a mail after an event. Throws 409 `conflict` when its state does not allow the event. */
export function transition(before: MailRow, happening: Happening, clock: Clock): MailChange {
  const allowed = TRANSITIONS[before.status][happening.name]
  if (!allowed) throw conflict({ detail: `A mail that is ${before.status} does not allow this` })
  const change = happened(before, happening, clock)
  const { status = before.status } = change
  if (!allowed.includes(status))
    throw new Error(`${happening.name} led from ${before.status} to ${status}, which the table does not have`)
  return { ...change, claimed_by: null, updated_at: clock.now() }
}

const ENDED = { next_attempt_at: null, failing_since: null } as const // null is no string

function happened(before: MailRow, happening: Happening, clock: Clock): MailChange {
  switch (happening.name) {
    case 'taken':
      return { status: 'sent', reason: null, server_reply: happening.reply, sent_at: clock.now(), ...ENDED }
    case 'put_off':
      return putOff(before, happening, clock)
    case 'refused':
      return { status: 'failed', reason: 'refused', server_reply: happening.reply, ...ENDED }
    case 'bounced':
      return { status: 'bounced', reason: 'hard_bounce', server_reply: happening.reply, ...ENDED }
    case 'complained':
      return { reason: 'complaint' }
    case 'suppressed':
      return { status: 'suppressed', reason: happening.reason, ...ENDED }
    case 'told_to_wait':
      return { next_attempt_at: happening.until }
    case 'canceled':
      return { status: 'canceled', reason: happening.reason, ...ENDED }
  }
}

/** Deferred until the next attempt; failed after a day of them. */
function putOff(before: MailRow, { reply, reason }: Happening & { name: 'put_off' }, clock: Clock): MailChange {
  const failures = Math.max(before.attempts - 1, 0)
  const after = afterFailure({ failures, failing_since: before.failing_since }, '', clock, RETRIES)
  const { failing_since, next_attempt_at } = after
  if (next_attempt_at !== null)
    return { status: 'deferred', reason: reason ?? null, server_reply: reply, failing_since, next_attempt_at }
  return { status: 'failed', reason: reason === 'unreadable' ? reason : 'gave_up', server_reply: reply, ...ENDED }
}
