import { type MailSender, normalizeEmail } from '#kernel'
import { MailError } from './replies.ts'
import { ownSenderName, senderName } from './safe-name.ts'
import type { Mail, MailerConfig } from './transport.ts'

export const SUBJECT_MAX_LENGTH = 200
// Enough for a bounded sender's name and the whole configured one.
const NAME_MAX_LENGTH = 200

/** A single plain address that no mail server reads as a list, a group, a route or a second header. */
const PLAIN_ADDRESS = /^[^\s\p{Cc}\p{Cf}"(),:;<>@[\]\\]{1,64}@[^\s\p{Cc}\p{Cf}"(),:;<>@[\]\\]{1,255}$/u
/** A URL in a header between angle brackets. */
const PLAIN_URL = /^https?:\/\/[\x21-\x3b\x3d\x3f-\x7e]{1,900}$/

/**
 * Covered by the signature, so that nobody changes them on the way; both headers of RFC 8058 have to be among them. A field
 * that a mail does not have is left out.
 */
const SIGNED_FIELDS = [
  'From',
  'Reply-To',
  'To',
  'Subject',
  'Date',
  'Message-ID',
  'MIME-Version',
  'Content-Type',
  'Content-Transfer-Encoding',
  'List-Unsubscribe',
  'List-Unsubscribe-Post',
  'Auto-Submitted',
].join(':')

/**
 * Everything of a mail but its content: header values, each on one line and of bounded length, the envelope, and what it is
 * signed with. @throws MailError for an invalid address
 */
export function addressMail(mail: Mail, { mail: { from: own } }: MailerConfig) {
  if (!PLAIN_ADDRESS.test(mail.to)) throw new MailError('The address of the recipient is not one', 'refused')
  const { messageId, sender } = mail
  const replyTo = sender?.replyTo
  return {
    // Whatever a mail says that it comes from: what cannot be delivered comes back to the installation.
    envelope: { from: mail.bounceAddress || own.address, to: [mail.to] },
    from: fromOf(mail, own),
    to: { name: '', address: mail.to },
    ...(replyTo && isPlain(replyTo) && { replyTo: { name: '', address: replyTo } }),
    // A mail without one looks like a mistake, and to some receivers like an attack.
    subject: onOneLine(mail.subject, SUBJECT_MAX_LENGTH) || productOf(own),
    ...(messageId && { messageId }),
    headers: {
      'Auto-Submitted': 'auto-generated',
      'X-Auto-Response-Suppress': 'All',
      ...unsubscribing(mail.unsubscribeUrl),
    },
    ...signing(sender),
  }
}

type Address = MailerConfig['mail']['from']

function fromOf({ fromName, sender }: Mail, own: Address): Address {
  const given = fromName || sender?.from?.name || ''
  const address = sender?.from?.address
  if (address && isPlain(address)) {
    // The domain is theirs, and so is the name in front of it.
    return { name: onOneLine(ownSenderName(given), NAME_MAX_LENGTH), address }
  }
  const name = given ? onOneLine(senderName(given, productOf(own)), NAME_MAX_LENGTH) : own.name
  return { name, address: own.address }
}

/** RFC 8058: the mail program ends such mails by one POST, without opening a page. */
function unsubscribing(url: string | undefined): Record<string, string> {
  if (!url || !PLAIN_URL.test(url)) return {}
  return { 'List-Unsubscribe': `<${url}>`, 'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click' }
}

function signing(sender: MailSender | null | undefined) {
  return sender?.dkim ? { dkim: { ...sender.dkim, headerFieldNames: SIGNED_FIELDS } } : {}
}

const productOf = ({ name, address }: Address) => name || address.slice(address.lastIndexOf('@') + 1)

/** The text without anything that ends a line, and cut to a length. */
export function onOneLine(text: string, maxLength: number): string {
  const line = text
    .toWellFormed()
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim()
  return Array.from(line).slice(0, maxLength).join('')
}

/** Whether somebody can be written to at an address that a tenant has given, and it is no more than that. */
const isPlain = (address: string) => PLAIN_ADDRESS.test(address) && normalizeEmail(address) === address.toLowerCase()
