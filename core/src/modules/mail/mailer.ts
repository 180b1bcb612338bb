import { defineResource, type HealthCheck } from '#kernel'
import type { MailStatus } from './table.ts'
import { createMailer, MAX_CONNECTIONS, type Mail } from './transport.ts'

/** The mailer of the process: the mail server, or the mailbox on disk without one. */
export const mailer = defineResource({
  name: 'mailer',
  create: (core) => {
    const { config, product, log } = core
    const from = config.mail.from ?? { name: product.name, address: 'no-reply@localhost' }
    const domain = from.address.slice(from.address.lastIndexOf('@') + 1)
    const sender = createMailer({ dataDir: config.dataDir, mail: { ...config.mail, from } }, log)
    let busy = 0
    return {
      ...sender,
      async send(mail: Mail) {
        busy++
        try {
          return await sender.send(mail)
        } finally {
          busy--
        }
      },
      /** How many mails the server takes at once beside those that are under way. */
      free: () => Math.max(0, MAX_CONNECTIONS - busy),
      /** The Message-ID of a mail, by its mark. */
      messageId: (mark: string) => `<${mark}@${domain}>`,
      /** Counts what became of attempts. */
      count: (status: MailStatus, mails = 1) => core.mailDone?.(status, mails),
    }
  },
  close: (sender) => sender.close(),
})

/** Not part of readiness: without the mail server mails wait in the queue, and everything else works. */
export const mailCheck: HealthCheck = {
  name: 'mail',
  ready: false,
  async check(core) {
    if (core.config.mail.off) return 'MAIL=off: no mail is sent.'
    await core.use(mailer).verify()
    if (core.config.mail.smtpUrl) return 'The mail server accepts our sign-in.'
    return `No SMTP_URL is set: mails are kept in ${core.config.dataDir}/mailbox.`
  },
}
