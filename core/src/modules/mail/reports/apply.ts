import { type Ctx, normalizeEmail } from '#kernel'
import { mailActor, settle } from '../delivery.ts'
import { findMark } from '../message-id.ts'
import { lockMail } from '../queries.ts'
import { readReply } from '../replies.ts'
import type { MailReport } from '../schema.ts'
import { recordComplaint, recordDeadAddress } from '../suppressions.ts'
import type { MailRow } from '../table.ts'

/**
 * Writes down what reports say. Only that counts which names a mail of ours by its mark, which nobody has who has not seen
 * that mail; and only for the address that it went to: no other can be put on a list.
 */
export async function applyReports(ctx: Ctx, reports: readonly MailReport[]) {
  let taken = 0
  for (const report of reports) if (await applyReport(ctx, report)) taken++
  return { taken, ignored: reports.length - taken }
}

/** Whether it was believed, and said something new. */
async function applyReport(ctx: Ctx, report: MailReport): Promise<boolean> {
  const named = findMark(ctx.secrets, report.mail)
  if (!named) return false
  return ctx.as(mailActor).transaction(
    async (ctx) => {
      const row = await lockMail(ctx.tx, ctx.tenant, named.id)
      if (!row || !hasLeft(row) || !isOf(row, report)) return false
      await apply(ctx, row, report)
      return true
    },
    { tenantId: named.tenantId },
  )
}

async function apply(ctx: Ctx, row: MailRow, { type, reply: words }: MailReport): Promise<void> {
  if (type === 'complaint') {
    await recordComplaint(ctx, row)
    await settle(ctx, row, { name: 'complained' })
    return
  }
  const reply = readReply(words, null)
  if (type === 'hard_bounce') await recordDeadAddress(ctx, row, reply)
  await settle(ctx, row, { name: 'bounced', reply })
}

/** A mail server may send a mail back before we have written down that it took it. */
const hasLeft = ({ status, claimed_by }: MailRow) => status === 'sent' || (status === 'queued' && claimed_by !== null)

function isOf(row: MailRow, { type, recipient }: MailReport): boolean {
  if (type === 'complaint' && (row.status !== 'sent' || row.reason === 'complaint')) return false
  if (recipient === undefined) return true
  return normalizeEmail(recipient) === row.address
}
