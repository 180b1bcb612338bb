import { Closed, type Ctx, defineJob, Nullable, type SealedKind, Type, unavailable } from '#kernel'
import { mailer } from './mailer.ts'
import { type IfPaused, takeTurn } from './pausing.ts'
import { type MailData, type MailKind, type MailRequest, renderMail } from './templates.ts'
import { MailError } from './transport.ts'

/** A mail to a person, before it is written. */
export type QueuedMail<K extends MailKind = MailKind> = {
  [Kind in K]: {
    /** The address as stored. */
    to: string
    kind: Kind
    /**
     * What the template of that kind needs; sealed until the mail is sent, since it may hold tokens. A function is called
     * once it is certain that the mail goes out: to make a token, say.
     */
    data: MailData[Kind] | (() => Promise<MailData[Kind]>)
    /** Default: `skip`. */
    ifPaused?: IfPaused
    /** BCP 47 and IANA names of the person's; default: English and UTC. */
    locale?: string | null
    timezone?: string | null
    /** What the sender calls itself; shown before the configured name. */
    fromName?: string | null
  }
}[K]

/**
 * For work that is of no use without a mail: an invitation, a link to choose a new password. Throws 503 `unavailable`
 * where none is sent. To be asked before anything is looked up, so that it is the same for everybody.
 */
export function requireMail({ config }: Ctx): void {
  if (config.mail.off) throw unavailable({ detail: 'This installation sends no mail (MAIL=off): ask whoever runs it.' })
}

/**
 * Mails a person after commit, and never when the transaction of `ctx` is rolled back. Retried for hours. False when
 * nothing is sent: a mail of this kind went to this address a moment ago, or none goes from here (see `requireMail`).
 */
export async function enqueueMail(ctx: Ctx, mail: QueuedMail): Promise<boolean> {
  if (ctx.config.mail.off) return false
  const { to, kind, data, locale = null, timezone = null, fromName = null, ifPaused = 'skip' } = mail
  const runAt = await takeTurn(ctx, kind, to, ifPaused)
  if (runAt === null) return false
  const content: unknown = typeof data === 'function' ? await data() : data
  const sealed = ctx.secrets.seal(JSON.stringify(content), sealContext(to, kind))
  await ctx.enqueue(sendMail, { to, kind, data: sealed, locale, timezone, from_name: fromName }, { runAt })
  return true
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
    const opened: unknown = JSON.parse(ctx.secrets.openText(data, sealContext(to, kind)))
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

/** What mails that wait are to say. */
export const sealedMails: SealedKind = {
  name: 'mails that wait',
  async samples({ db }) {
    const waiting = ['tenant_jobs', 'system_jobs'].map(
      (table) =>
        `(select payload from ${table} where status = 'waiting' and task = 'mail.send' order by run_at limit 1)`,
    )
    const rows = await db.systemQuery<{ payload: { to: string; kind: string; data: string } }>(
      waiting.join(' union all '),
    )
    return rows.map(({ payload: { to, kind, data } }) => ({ sealed: data, context: sealContext(to, kind) }))
  },
}

/** Binds what is sealed to its recipient: moved into another job it does not open. */
const sealContext = (to: string, kind: string) => `mail:${kind}:${to}`
