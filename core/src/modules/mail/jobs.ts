import { Closed, defineJob, Nullable, Type } from '#kernel'
import { postOffice } from './post.ts'

const text = Nullable(Type.String())

/** Mails that were enqueued before there was a log of them: enters one into the log, from where it goes out. */
export const sendMail = defineJob('mail.send', {
  payload: Closed({
    to: Type.String(),
    kind: Type.String(),
    data: Type.String(),
    locale: text,
    timezone: text,
    from_name: text,
  }),
  handler: async (ctx, { to, kind, data, locale, timezone, from_name: fromName }) => {
    const mail = ctx.registry.mails.get(kind)
    // Its module was removed from the core after it was enqueued; it is sent when the module is back.
    if (!mail) throw new Error(`No module of this core lists the mail ${kind}`)
    const opened = JSON.parse(ctx.secrets.openText(data, `mail:${kind}:${to}`))
    await postOffice.post(ctx, { ...mail, pause: null }, { to, data: opened, locale, timezone, fromName })
  },
})
