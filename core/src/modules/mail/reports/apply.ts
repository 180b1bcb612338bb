import { type Ctx, normalizeEmail } from '#kernel'
import { mailActor, settle } from '../delivery.ts'
import { findMark } from '../message-id.ts'
import { lockMail } from '../queries.ts'
import { readReply } from '../replies.ts'
import type { MailReport } from '../schema.ts'
import { isWaiting } from '../states.ts'
import { recordBounce, recordComplaint, recordDeadAddress } from '../suppressions.ts'
import type { MailRow } from '../table.ts'

/** Who says so: the mail provider, or a mail, which anybody can have written who has seen the one that it names. */
export type ReportSource = 'provider' | 'mail'

/**
 * Writes down what reports say. Only that counts which names a mail of ours by its mark, which nobody has who has not seen
 * that mail; and only for the address that it went to: no other can be put on a list. A mail is believed for the tenant alone
 * whose mail it names: whoever answers a mail shows its mark to the tenant, which must not keep other tenants' mails from them.
 */
export async function applyReports(ctx: Ctx, reports: readonly MailReport[], source: ReportSource) {
  let taken = 0
  for (const report of reports) if (await applyReport(ctx, report, source)) taken++
  return { taken, ignored: reports.length - taken }
}

/** Whether it was believed, and said something new. */
async function applyReport(ctx: Ctx, report: MailReport, source: ReportSource): Promise<boolean> {
  const named = findMark(ctx.secrets, report.mail)
  if (!named) return false
  return ctx.as(mailActor).transaction(
    async (ctx) => {
      const row = await lockMail(ctx.tx, ctx.tenant, named.id)
      if (!row || !hasLeft(row) || !isOf(row, report)) return false
      await apply(ctx, row, { ...report, source })
      return true
    },
    { tenantId: named.tenantId },
  )
}

type Sourced = MailReport & { source: ReportSource }

async function apply(ctx: Ctx, row: MailRow, { type, reply: words, source }: Sourced): Promise<void> {
  if (type === 'complaint') {
    await recordComplaint(ctx, row)
    await settle(ctx, row, { name: 'complained' })
    return
  }
  const reply = readReply(words, null)
  if (type === 'hard_bounce') {
    if (source === 'provider' || ctx.tenant === null) await recordDeadAddress(ctx, row, reply)
    else await recordBounce(ctx, row, reply)
  }
  await settle(ctx, row, { name: 'bounced', reply })
}

/** A mail server may send a mail back before we have written down that it took it. */
const hasLeft = (row: MailRow) => row.status === 'sent' || (isWaiting(row) && row.claimed_by !== null)

function isOf(row: MailRow, { type, recipient }: MailReport): boolean {
  if (type === 'complaint' && (row.status !== 'sent' || row.reason === 'complaint')) return false
  if (recipient === undefined) return true
  return normalizeEmail(recipient) === row.address
}
