import { type Ctx, conflict, notFound, onViolation, page } from '#kernel'
import { isStillGood, isUnwanted, openMail } from './attempts.ts'
import { mailCanceled, mailResent } from './events.ts'
import { newMail } from './new-mail.ts'
import { enterMail, requireMail } from './post.ts'
import { deleteGlobalMails, findMail, listMails, lockMail, updateMail } from './queries.ts'
import { type GlobalMail, type Mail, type MailFilter, presentGlobalMail, presentMail, recordMail } from './schema.ts'
import { isWaiting, transition } from './states.ts'
import { findListed } from './suppressions.ts'
import type { MailRow } from './table.ts'

const NEWEST_FIRST = { by: ['created_at', 'id'] } as const // names of columns

/** The tenant's mails, newest first. */
export async function pageMails(ctx: Ctx, filter: MailFilter) {
  const { data, next_cursor } = await page(ctx, listMails(ctx.tx, ctx.tenantId, filter), NEWEST_FIRST)
  return { data: data.map((row) => presentMail(ctx.tenantId, row)), next_cursor }
}

/** Throws 404. */
export async function readMail(ctx: Ctx, id: string): Promise<Mail> {
  const row = await findMail(ctx.tx, ctx.tenantId, id)
  if (!row) throw notFound()
  return presentMail(ctx.tenantId, row)
}

/** The mails without a tenant, newest first; for those who run the installation, whose route must ask who calls. */
export async function pageGlobalMails(ctx: Ctx, filter: MailFilter) {
  const { data, next_cursor } = await page(ctx, listMails(ctx.tx, null, filter), NEWEST_FIRST)
  return { data: data.map(presentGlobalMail), next_cursor }
}

/** One of them. Throws 404. */
export async function readGlobalMail(ctx: Ctx, id: string): Promise<GlobalMail> {
  const row = await findMail(ctx.tx, null, id)
  if (!row) throw notFound()
  return presentGlobalMail(row)
}

/** Takes mails without a tenant out of the log, so that those which wait do not leave; says how many there were. As the system role. */
export const withdrawGlobalMails = ({ tx }: Ctx, ids: readonly string[]): Promise<number> => deleteGlobalMails(tx, ids)

/**
 * Sends a copy of a mail, which has a row of its own, so that the log keeps what became of the first. It counts towards
 * the few that go to an address in an hour, and waits where there were as many. Throws 404, and 409 for a mail that
 * still waits, itself or as a copy; whose text is not kept any more; that is of no use any more, or switched off; or whose
 * address is on the suppression list.
 */
export async function resendMail(ctx: Ctx, id: string): Promise<Mail> {
  requireMail(ctx)
  const before = await lockMail(ctx.tx, ctx.tenantId, id)
  if (!before) throw notFound()
  if (isWaiting(before)) throw conflict({ detail: 'It has not left yet, and will be sent' })
  const { subject, kind, to, content } = await reopen(ctx, before)
  const { locale, timezone, from_name, unsubscribe_kind, unsubscribe_user_id } = before
  const kept = { locale, timezone, from_name, unsubscribe_kind, unsubscribe_user_id }
  const copy: MailRow = { ...newMail(ctx, { to, kind, subject, content }), ...kept }
  const row = { ...copy, waits_turn: true, resend_of: before.resend_of ?? id }
  await onViolation(enterMail(ctx, row), {
    mails_resend_of_key: () => conflict({ detail: 'A copy of it waits already' }),
  })
  await ctx.emit(mailResent, { after: recordMail(row), label: to })
  return presentMail(ctx.tenantId, row)
}

async function reopen(ctx: Ctx, row: MailRow) {
  const opened = openMail(ctx, row)
  if (!opened) throw conflict({ detail: 'Its text is not kept any more, a week after it was posted' })
  const { mail, data } = opened
  if (!(await isStillGood(ctx, mail, data)))
    throw conflict({ detail: 'Its link was used, has expired or was replaced: have a new one made' })
  if (await isUnwanted(ctx, row)) throw conflict({ detail: 'Its recipient has switched such mails off, or has left' })
  if (await findListed(ctx, mail, row.address))
    throw conflict({ detail: 'Its address is on the suppression list (GET /mails/suppressions): take it off there' })
  return { ...row, content: data }
}

/** Whoever takes over an account or a company must not keep those from knowing whose it was. A link is void by itself. */
function isWarning({ registry }: Ctx, { kind }: MailRow): boolean {
  const mail = registry.mails.get(kind)
  return mail?.security === true && mail.stillGood === null
}

/**
 * Stops a mail before it leaves; once is enough. Throws 404, and 409 for one that has left or is just being sent, and for one
 * that warns somebody.
 */
export async function cancelMail(ctx: Ctx, id: string): Promise<Mail> {
  const before = await lockMail(ctx.tx, ctx.tenantId, id)
  if (!before) throw notFound()
  if (before.status === 'canceled') return presentMail(ctx.tenantId, before)
  // From the claim on, the mail server may have it, whatever becomes of the process that is at it.
  if (before.claimed_by !== null) throw conflict({ detail: 'It is just being sent' })
  if (isWarning(ctx, before)) throw conflict({ detail: 'It tells somebody what happened to their account, and leaves' })
  const change = transition(before, { name: 'canceled', reason: 'by_hand' }, ctx.clock)
  const after = await updateMail(ctx.tx, ctx.tenantId, id, change)
  await ctx.emit(mailCanceled, { before: recordMail(before), after: recordMail(after), label: after.to })
  return presentMail(ctx.tenantId, after)
}
