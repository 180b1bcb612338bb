import { createTransport } from 'nodemailer'
import type { Sender } from '#kernel'
import { addressMail, onOneLine } from './headers.ts'
import { MailError } from './mail-error.ts'
import { storeMail } from './mailbox.ts'

export { MailError } from './mail-error.ts'

/** One mail to one person; every value may come from users. */
export interface Mail {
  to: string
  subject: string
  text: string
  html: string
  /** What the sender calls itself, where `sender` does not say; shown before the configured name. */
  fromName?: string
  /** In whose name it goes out. Default: as configured. */
  sender?: Sender | null
  /** Where one click ends mails like this one (RFC 8058). */
  unsubscribeUrl?: string
}

/** Sends mails: by SMTP when `smtpUrl` is set, else into the mailbox in `dataDir`. */
export interface Mailer {
  /** Resolves once the mail server has taken the mail. @throws MailError; a temporary one is worth another attempt */
  send(mail: Mail): Promise<void>
  /** Checks that the mail server can be reached and accepts the credentials. @throws MailError */
  verify(): Promise<void>
  /** Closes the connections. */
  close(): void
}

/** The part of the configuration that a mailer needs. */
export interface MailerConfig {
  readonly dataDir: string
  readonly mail: {
    readonly off: boolean
    readonly smtpUrl: string | null
    readonly from: { readonly name: string; readonly address: string }
  }
}

/** The part of the log that a mailer writes to. */
export interface MailLog {
  info(details: object, message: string): void
  warn(details: object, message: string): void
}

const SECONDS = 1_000
const TIMEOUTS = {
  dnsTimeout: 10 * SECONDS,
  connectionTimeout: 10 * SECONDS,
  greetingTimeout: 10 * SECONDS,
  socketTimeout: 30 * SECONDS,
}
const MAX_CONNECTIONS = 5

/** Makes the mailer that the configuration asks for; connects on first use. */
export function createMailer(config: MailerConfig, log: MailLog): Mailer {
  const { off, smtpUrl } = config.mail
  if (off) return createNoMailer(log)
  return smtpUrl === null ? createDiskMailer(config, log) : createSmtpMailer(smtpUrl, config, log)
}

/** Accepts every mail and sends none: mails that waited when mail was switched off end here. */
function createNoMailer(log: MailLog): Mailer {
  return {
    send: async () => log.info({}, 'a mail was left out: MAIL=off'),
    verify: async () => {},
    close: () => {},
  }
}

function createDiskMailer(config: MailerConfig, log: MailLog): Mailer {
  return {
    async send(mail) {
      const { from, to, subject } = addressMail(mail, config)
      const sender = from.name ? `${from.name} <${from.address}>` : from.address
      const { id } = await storeMail(config.dataDir, {
        from: sender,
        to: to.address,
        subject,
        text: mail.text,
        html: mail.html,
      })
      log.info({ mail_id: id }, 'mail put into the development mailbox')
    },
    verify: async () => {},
    close: () => {},
  }
}

function createSmtpMailer(url: string, config: MailerConfig, log: MailLog): Mailer {
  const transport = createTransport({
    url,
    pool: true,
    maxConnections: MAX_CONNECTIONS,
    ...TIMEOUTS,
    // A mail must never include a file or page that its content names.
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  // A broken idle connection is not reported as an error: the next mail opens another one, or fails itself.
  transport.on('error', () => log.warn({}, 'a connection to the mail server broke'))
  return {
    async send(mail) {
      const message = { ...addressMail(mail, config), text: mail.text, html: mail.html }
      const { messageId } = await transport.sendMail(message).catch(fail)
      log.info({ message_id: messageId }, 'mail sent')
    },
    async verify() {
      await transport.verify().catch(fail)
    },
    close: () => transport.close(),
  }
}

function fail(error: unknown): never {
  // The fields that the transport adds to its errors, each of which may be absent.
  const { code, responseCode, response } = error as { code?: string; responseCode?: number; response?: string }
  const said = response ? `: ${withoutAddresses(response)}` : ''
  const isPermanent = responseCode !== undefined && responseCode >= 500 && code !== 'EAUTH'
  throw new MailError(`The mail server did not take the mail (${code ?? 'unknown'})${said}`, isPermanent)
}

function withoutAddresses(response: string): string {
  return onOneLine(response.replace(/[^\s<>]+@[^\s<>]+/g, '…'), 200)
}
