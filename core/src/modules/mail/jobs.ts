import { Value } from 'typebox/value'
import {
  Closed,
  type Ctx,
  defineJob,
  Nullable,
  type PostOffice,
  type SealedKind,
  type Sender,
  Type,
  unavailable,
} from '#kernel'
import { mailer } from './mailer.ts'
import { takeTurn } from './pauses.ts'
import { renderMail } from './render.ts'
import { MailError } from './transport.ts'
import { offerOf } from './unsubscribe/offer.ts'

/**
 * For work that needs a mail to be useful, such as an invitation or a link to choose a new password: throws 503
 * `unavailable` where no mail is sent. Call it before any look-up, so that the answer is the same for everybody.
 */
export function requireMail({ config }: Ctx): void {
  if (config.mail.off) throw unavailable({ detail: 'This installation sends no mail (MAIL=off): ask whoever runs it.' })
}

/** Encrypts the data of a mail and enqueues it in the transaction of `ctx`. */
export const postOffice: PostOffice = {
  async post(ctx, mail, letter) {
    const { to, data, locale = null, timezone = null, fromName = null, ifPaused = 'skip' } = letter
    if (ctx.config.mail.off) return false
    const runAt = await takeTurn(ctx, mail, to, ifPaused)
    if (runAt === null) return false
    const content: unknown = typeof data === 'function' ? await data() : data
    if (!Value.Check(mail.data, content)) throw new Error(`The data of ${mail.kind} has another shape than declared`)
    const sealed = ctx.secrets.seal(JSON.stringify(content), sealContext(to, mail.kind))
    const payload = {
      to,
      kind: mail.kind,
      data: sealed,
      locale,
      timezone,
      from_name: fromName,
      unsubscribe: letter.unsubscribe ?? null,
    }
    await ctx.enqueue(sendMail, payload, { runAt })
    return true
  },
}

const text = Nullable(Type.String())

/**
 * No transaction is open while it talks to the mail server. After a crash just after sending, the mail may be sent
 * twice.
 */
export const sendMail = defineJob('mail.send', {
  payload: Closed({
    to: Type.String(),
    kind: Type.String(),
    data: Type.String(),
    locale: text,
    timezone: text,
    from_name: text,
    unsubscribe: Type.Optional(Nullable(Closed({ kind: Type.String(), userId: Type.String() }))),
  }),
  transaction: 'manual',
  handler: async (ctx, { to, kind, data, locale, timezone, from_name, unsubscribe }) => {
    const mail = ctx.registry.mails.get(kind)
    // Its module was removed from the core after it was enqueued; it is sent when the module is back.
    if (!mail) throw new Error(`No module of this core lists the mail ${kind}`)
    const opened: unknown = JSON.parse(ctx.secrets.openText(data, sealContext(to, kind)))
    const { http, pages } = ctx.config
    const offer = offerOf(ctx, unsubscribe)
    const setting = { publicUrl: http.publicUrl, pages, locale, timezone, unsubscribeUrl: offer?.pageUrl }
    const written = renderMail(mail, opened, setting)
    const sender = await senderOf(ctx)
    try {
      await ctx
        .use(mailer)
        .send({ to, ...written, fromName: from_name ?? undefined, sender, unsubscribeUrl: offer?.oneClickUrl })
    } catch (error) {
      if (!(error instanceof MailError) || !error.isPermanent) throw error
      // Another attempt cannot succeed, for example because the mailbox does not exist.
      ctx.log.error({ err: error, kind }, 'a mail was refused for good')
    }
  },
})

/** In whose name the mails of the context's tenant go out. */
async function senderOf(ctx: Ctx): Promise<Sender | null> {
  const { senders } = ctx.registry
  if (!senders) return null
  return ctx.transaction((inner) => senders.senderOf(inner, inner.tenant), { readOnly: true })
}

/** The encrypted data of waiting mails. */
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

/** Binds the encrypted data to its recipient and kind: it cannot be decrypted as part of another job. */
const sealContext = (to: string, kind: string) => `mail:${kind}:${to}`
