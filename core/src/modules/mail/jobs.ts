import { Closed, type Ctx, defineJob, Nullable, Type } from '#kernel'
import { mailer } from './mailer.ts'
import { type MailData, type MailKind, type MailRequest, renderMail } from './templates.ts'
import { MailError } from './transport.ts'

/** A mail to a person, before it is written. */
export type QueuedMail<K extends MailKind = MailKind> = {
  [Kind in K]: {
    /** The address as stored. */
    to: string
    kind: Kind
    /** What the template of that kind needs; sealed until the mail is sent, since it may hold tokens. */
    data: MailData[Kind]
    /** BCP 47 and IANA names of the person's; default: English and UTC. */
    locale?: string | null
    timezone?: string | null
    /** Shown as the sender's name in place of the configured one. */
    fromName?: string | null
  }
}[K]

/** Mails a person after commit, and never when the transaction of `ctx` is rolled back. Retried for hours. */
export async function enqueueMail(ctx: Ctx, mail: QueuedMail): Promise<void> {
  const { to, kind, data, locale = null, timezone = null, fromName = null } = mail
  const sealed = ctx.core.secrets.seal(JSON.stringify(data), sealContext(to, kind))
  await ctx.enqueue(sendMail, { to, kind, data: sealed, locale, timezone, from_name: fromName })
}

const text = Nullable(Type.String())

/** Talks to the mail server, so no transaction is open meanwhile; a crash just after sending may send it twice. */
export const sendMail = defineJob('mail.send', {
  payload: Closed({
    to: Type.String(),
    kind: Type.String(),
    data: Type.String(),
    locale: text,
    timezone: text,
    from_name: text,
  }),
  transaction: 'manual',
  handler: async (ctx, { to, kind, data, locale, timezone, from_name }) => {
    const opened: unknown = JSON.parse(ctx.core.secrets.openText(data, sealContext(to, kind)))
    const { http, pages } = ctx.config
    const request = { kind, data: opened, publicUrl: http.publicUrl, pages, locale, timezone } as MailRequest // as enqueueMail sealed it
    try {
      await ctx.use(mailer).send({ to, ...renderMail(request), fromName: from_name ?? undefined })
    } catch (error) {
      if (!(error instanceof MailError) || !error.isPermanent) throw error
      // Another attempt cannot succeed: such a mailbox does not exist, say.
      ctx.log.error({ err: error, kind }, 'a mail was refused for good')
    }
  },
})

/** Binds what is sealed to its recipient: moved into another job it does not open. */
const sealContext = (to: string, kind: string) => `mail:${kind}:${to}`
