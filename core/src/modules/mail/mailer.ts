import { defineResource, type HealthCheck } from '#kernel'
import type { MailStatus } from './table.ts'
import { createMailer } from './transport.ts'

/** The mailer of the process: the mail server, or the mailbox on disk without one. */
export const mailer = defineResource({
  name: 'mailer',
  create: (core) => {
    const { config, product, log } = core
    const from = config.mail.from ?? { name: product.name, address: 'no-reply@localhost' }
    const domain = from.address.slice(from.address.lastIndexOf('@') + 1)
    return {
      ...createMailer({ dataDir: config.dataDir, mail: { ...config.mail, from } }, log),
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
