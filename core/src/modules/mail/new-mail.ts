import { type Ctx, newId, normalizeEmail, type SealedKind } from '#kernel'
import type { MailRow } from './table.ts'

interface Content {
  to: string
  kind: string
  subject: string
  content: unknown
}

/** A mail that has yet to be sent, to be completed by what the letter says. */
export function newMail(ctx: Ctx, { to, kind, subject, content }: Content): MailRow {
  const id = newId()
  const now = ctx.clock.now()
  return {
    id,
    to,
    address: comparable(to),
    kind,
    subject,
    data: ctx.secrets.seal(JSON.stringify(content), sealContextOf(id)),
    status: 'queued',
    reason: null,
    attempts: 0,
    server_reply: null,
    sent_at: null,
    next_attempt_at: null,
    failing_since: null,
    claimed_by: null,
    waits_turn: false,
    resend_of: null,
    locale: null,
    timezone: null,
    from_name: null,
    unsubscribe_kind: null,
    unsubscribe_user_id: null,
    created_at: now,
    updated_at: now,
  }
}

/** The form in which addresses are compared. */
export const comparable = (address: string): string => normalizeEmail(address) ?? address.toLowerCase()

/** Binds the encrypted data to its mail: it cannot be decrypted as part of another. */
export const sealContextOf = (id: string) => `mail:${id}`

/** The encrypted data of mails in the log. */
export const sealedMails: SealedKind = {
  name: 'mails in the log',
  async samples({ db }) {
    const ends = ['mails', 'global_mails'].flatMap((table) =>
      ['asc', 'desc'].map(
        (order) => `(select id, data from ${table} where data is not null order by id ${order} limit 1)`,
      ),
    )
    const rows = await db.systemQuery<{ id: string; data: string }>(ends.join(' union '))
    return rows.map(({ id, data }) => ({ sealed: data, context: sealContextOf(id) }))
  },
}
