/**
 * What became of a mail that the mail server did not take.
 * - `away`: the server could not be reached, did not answer in time, or broke the connection off.
 * - `put_off`: it said so for now, or it does not let us in.
 * - `refused`: it will never take this mail.
 * - `bounced`: it will never take a mail for this recipient.
 * - `dead`: it says that nobody is at the address.
 */
export type Verdict = 'away' | 'put_off' | 'refused' | 'bounced' | 'dead'

/** A mail was not accepted. The message contains no address, no credential and nothing of the mail. */
export class MailError extends Error {
  override name = 'MailError'
  readonly verdict: Verdict
  /** The server's own words, without addresses and without anything that the mail says; null: it said nothing. */
  readonly reply: string | null
  /** It was not even connected. */
  readonly isConnecting: boolean

  constructor(message: string, verdict: Verdict, reply: string | null = null, isConnecting = false) {
    super(message)
    this.verdict = verdict
    this.reply = reply
    this.isConnecting = isConnecting
  }

  /** True when another attempt cannot succeed. */
  get isPermanent(): boolean {
    return this.verdict !== 'away' && this.verdict !== 'put_off'
  }
}

const REPLY_MAX_LENGTH = 200

type Told = { readonly text: string; readonly html: string } | null

/** The failure that an error of the transport stands for. */
export function readFailure(error: unknown, mail: Told): MailError {
  // The fields that the transport adds to its errors, each of which may be absent.
  const { code = 'unknown', command, responseCode, response } = error as Partial<SmtpFailure>
  const reply = readReply(response, mail)
  const message = `The mail server did not take the mail (${code})${reply === null ? '' : `: ${reply}`}`
  return new MailError(message, verdictOn({ code, command, responseCode, response }), reply, command === 'CONN')
}

interface SmtpFailure {
  code: string
  command: string
  responseCode: number
  response: string
}

/** Codes of RFC 3463 that say of an address that no mail will ever arrive there. */
const DEAD = ['5.1.1', '5.1.2', '5.1.3', '5.1.6', '5.1.10', '5.2.1']

/** The first word of a status such as `5.1.1`; null without one. */
export const statusIn = (text: string | undefined): string | null =>
  /(?:^|[\s(#[-])([245]\.\d{1,3}\.\d{1,3})(?![\d.])/.exec(text ?? '')?.[1] ?? null

/** Whether a status says that nobody is at the address, as opposed to: the mail is not liked, or the mailbox is full. */
export const isDeadStatus = (status: string | null): boolean => status !== null && DEAD.includes(status)

function verdictOn({ code, command, responseCode, response }: Partial<SmtpFailure>): Verdict {
  // Credentials and senders can be mended, then the mail goes out.
  if (code === 'EAUTH' || command?.startsWith('AUTH') || command === 'MAIL FROM') return 'put_off'
  if (!responseCode) return 'away'
  if (responseCode < 500) return 'put_off'
  if (command !== 'RCPT TO' && command !== 'DATA') return 'put_off'
  const status = statusIn(response)
  if (isDeadStatus(status)) return 'dead'
  // Without such a code a refused recipient may be a server that does not relay for us: it is no word on the address.
  return command === 'RCPT TO' && !status?.startsWith('5.7.') ? 'bounced' : 'refused'
}

/** A server's words as they may be shown and kept: on one line, without addresses, links and words of the mail. */
export function readReply(response: string | undefined, mail: Told): string | null {
  if (!response) return null
  const words = response
    .toWellFormed()
    .split(/[\p{Cc}\p{Zl}\p{Zp}\s]+/u)
    .map((word) => (isTelling(word, mail) ? '…' : word))
  const line = words.join(' ').trim()
  return Array.from(line).slice(0, REPLY_MAX_LENGTH).join('') || null
}

/** Long enough for a token: a filter that quotes what it does not like must not carry one into the log. */
const TOKEN_LENGTH = 16

function isTelling(word: string, mail: Told): boolean {
  if (/@|:\/\/|token=/i.test(word)) return true
  if (mail === null) return false
  const parts = word.match(/[\w-]+/g) ?? []
  return parts.some((part) => part.length >= TOKEN_LENGTH && (mail.text.includes(part) || mail.html.includes(part)))
}
