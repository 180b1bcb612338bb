import { Value } from 'typebox/value'
import { type Ctx, type MailDefinition, type PostOffice, unavailable } from '#kernel'
import { deliverMail } from './delivery.ts'
import { onOneLine, SUBJECT_MAX_LENGTH } from './headers.ts'
import { newMail } from './new-mail.ts'
import { takeFirst, takeTurn } from './pauses.ts'
import { insertMail } from './queries.ts'
import { type Reader, renderFor } from './render.ts'
import type { MailRow } from './table.ts'

/**
 * For work that needs a mail to be useful, such as an invitation or a link to choose a new password: throws 503
 * `unavailable` where no mail is sent. Call it before any look-up, so that the answer is the same for everybody.
 */
export function requireMail({ config }: Ctx): void {
  if (config.mail.off) throw unavailable({ detail: 'This installation sends no mail (MAIL=off): ask whoever runs it.' })
}

/** Enters a mail into the log, with its data encrypted, and enqueues it, in the transaction of `ctx`. */
export const postOffice: PostOffice = {
  async post(ctx, mail, { to, data, ifPaused = 'skip', unsubscribe, onceInMinutes, ...letter }) {
    if (ctx.config.mail.off) return null
    const write = (content: unknown) => {
      if (!Value.Check(mail.data, content)) throw new Error(`The data of ${mail.kind} has another shape than declared`)
      return { content, subject: subjectOf(ctx, mail, content, letter) }
    }
    // What cannot be written takes no turn from what can. Some make what they hold only when it goes out.
    const written = typeof data === 'function' ? null : write(data)
    const runAt = await takeTurn(ctx, mail, to, ifPaused)
    if (runAt === null) return null
    const { content, subject } = written ?? write(typeof data === 'function' ? await data() : data)
    if (onceInMinutes && !(await takeFirst(ctx, mail, to, { content, minutes: onceInMinutes }))) return null
    const row = newMail(ctx, { to, kind: mail.kind, content, subject })
    const waits_turn = runAt > row.created_at
    await enterMail(ctx, {
      ...row,
      locale: letter.locale ?? null,
      timezone: letter.timezone ?? null,
      from_name: letter.fromName ?? null,
      unsubscribe_kind: unsubscribe?.kind ?? null,
      unsubscribe_user_id: unsubscribe?.userId ?? null,
      ...(waits_turn && { waits_turn, next_attempt_at: runAt }),
    })
    return row.id
  },
}

/** Enters a mail into the log and has it sent, when its time has come. */
export async function enterMail(ctx: Ctx, row: MailRow): Promise<void> {
  await insertMail(ctx.tx, ctx.tenant, row)
  await ctx.enqueue(deliverMail, { id: row.id }, { runAt: row.next_attempt_at ?? row.created_at })
}

/** As it is when the mail is posted, for the log. */
function subjectOf(ctx: Ctx, mail: MailDefinition, content: unknown, reader: Reader): string {
  return onOneLine(renderFor(ctx, mail, content, reader).subject, SUBJECT_MAX_LENGTH)
}
