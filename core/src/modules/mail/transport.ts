import { createTransport } from 'nodemailer'
import type { MailSender } from '#kernel'
import { addressMail } from './headers.ts'
import { storeMail } from './mailbox.ts'
import { MailError, readFailure, readReply } from './replies.ts'

/** One mail to one person; every value may come from users. */
export interface Mail {
  to: string
  subject: string
  text: string
  html: string
  /** What the sender calls itself, where `sender` does not say; shown before the configured name. */
  fromName?: string
  /** Who it comes from in place of the configured address. */
  sender?: MailSender | null
  /** `<…@…>`; the same at every attempt. */
  messageId?: string
  /** Where the mail server sends what comes back. Default: the configured address. */
  bounceAddress?: string | null
  /** Where one click ends mails like this one (RFC 8058). */
  unsubscribeUrl?: string | undefined
  /** Names it in the log. */
  id?: string
}

/** Sends mails: by SMTP when `smtpUrl` is set, else into the mailbox in `dataDir`. */
export interface Mailer {
  /**
   * Resolves once the mail server has taken the mail, with its reply: null without one. Within a minute or so, however slow
   * the server is. @throws MailError
   */
  send(mail: Mail): Promise<string | null>
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
/** How long the mail server may take, in milliseconds. */
export interface Patience {
  /** For a name, a connection, a greeting: each. */
  connectMs: number
  /** For each further word. */
  answerMs: number
  /** For all of a mail: a server that says a word now and then keeps nobody longer than this. */
  mailMs: number
}

const PATIENCE: Patience = { connectMs: 10 * SECONDS, answerMs: 30 * SECONDS, mailMs: 60 * SECONDS }
/** After the server could not be reached, mails are put off without a try for so long: each try would wait for a timeout. */
const AWAY_MS = 10 * SECONDS
/** As many mails in a row that it left without an answer say the same. */
const MAX_UNANSWERED = 3
/** To the mail server at a time, of one process. */
export const MAX_CONNECTIONS = 5

/** Makes the mailer that the configuration asks for; connects on first use. */
export function createMailer(config: MailerConfig, log: MailLog, patience = PATIENCE): Mailer {
  const { off, smtpUrl } = config.mail
  if (off) return createNoMailer(log)
  return smtpUrl === null ? createDiskMailer(config, log) : createSmtpMailer(smtpUrl, config, { log, patience })
}

/** Accepts every mail and sends none: mails that waited when mail was switched off end here. */
function createNoMailer(log: MailLog): Mailer {
  return {
    async send() {
      log.info({}, 'a mail was left out: MAIL=off')
      return null
    },
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
      return null
    },
    verify: async () => {},
    close: () => {},
  }
}

function createSmtpMailer(
  url: string,
  config: MailerConfig,
  { log, patience: { connectMs, answerMs, mailMs } }: { log: MailLog; patience: Patience },
): Mailer {
  const transport = createTransport({
    url,
    pool: true,
    maxConnections: MAX_CONNECTIONS,
    dnsTimeout: connectMs,
    connectionTimeout: connectMs,
    greetingTimeout: connectMs,
    socketTimeout: answerMs,
    // A mail must never include a file or page that its content names.
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  // A broken idle connection is not reported as an error: the next mail opens another one, or fails itself.
  transport.on('error', () => log.warn({}, 'a connection to the mail server broke'))
  let awayUntil = 0
  let unanswered = 0
  return {
    async send(mail) {
      const message = { ...addressMail(mail, config), text: mail.text, html: mail.html }
      if (performance.now() < awayUntil) throw new MailError('The mail server did not answer a moment ago', 'away')
      const deadline = new AbortController()
      const timer = setTimeout(() => deadline.abort(), mailMs)
      try {
        const { response } = await transport.sendMail({ ...message, signal: deadline.signal })
        log.info({ mail_id: mail.id }, 'mail sent')
        unanswered = 0
        return readReply(response, mail)
      } catch (error) {
        const failure = readFailure(error, mail)
        unanswered = failure.verdict === 'away' ? unanswered + 1 : 0
        const isGone = unanswered > 0 && (failure.isConnecting || unanswered >= MAX_UNANSWERED)
        if (isGone) awayUntil = performance.now() + AWAY_MS
        throw failure
      } finally {
        clearTimeout(timer)
      }
    },
    async verify() {
      await transport.verify().catch((error: unknown) => {
        throw readFailure(error, null)
      })
    },
    close: () => transport.close(),
  }
}
