import PostalMime, { type Email } from 'postal-mime'
import { isDeadStatus, statusIn } from '../replies.ts'
import type { MailReport } from '../schema.ts'

/** Deeper and longer than what mail servers write. */
const LIMITS = { maxNestingDepth: 20, maxHeadersSize: 32 * 1024 }
const MAX_RECIPIENTS = 20
// Strangers write what comes back, and reading it costs more than in proportion to its lines.
const MAX_BYTES = 64 * 1024
const MAX_LINES = 2_000

/** Names and values of a part that is made of header fields. */
type Fields = ReadonlyMap<string, string>

/**
 * What a mail reports that came back to us: a delivery status notification (RFC 3464) or a complaint (RFC 5965). Empty for
 * anything else, such as an answer of somebody who is on holiday, and for what cannot be read.
 */
export async function readReports(raw: Buffer): Promise<MailReport[]> {
  const mail = await parse(raw)
  if (!mail) return []
  const named = textsThatName(mail).join('\n')
  const complaints = partsOf(mail, 'message/feedback-report').flatMap((part) => complaintsIn(part, named))
  const bounces = partsOf(mail, 'message/delivery-status').flatMap((part) => bouncesIn(part, named))
  return [...complaints, ...bounces].slice(0, MAX_RECIPIENTS)
}

async function parse(raw: Buffer): Promise<Email | null> {
  const options = { ...LIMITS, forceRfc822Attachments: true, attachmentEncoding: 'utf8' } as const // a word is a type
  try {
    return await PostalMime.parse(beginningOf(raw), options)
  } catch {
    return null
  }
}

/** What a report says stands there; the whole mail that it returns may follow, of which the header is enough. */
function beginningOf(raw: Buffer): Buffer {
  const beginning = raw.subarray(0, MAX_BYTES)
  let end = -1
  for (let lines = 0; lines < MAX_LINES; lines++) {
    end = beginning.indexOf('\n', end + 1)
    if (end < 0) return beginning
  }
  return beginning.subarray(0, end)
}

const partsOf = ({ attachments }: Email, type: string): string[] =>
  attachments.flatMap(({ mimeType, content }) => (mimeType === type && typeof content === 'string' ? [content] : []))

/** The address that it came back to, and the Message-ID of the mail that it returns. */
function textsThatName(mail: Email): string[] {
  const to = mail.headers.filter(({ key }) => ['to', 'delivered-to', 'x-original-to'].includes(key))
  const returned = [...partsOf(mail, 'text/rfc822-headers'), ...partsOf(mail, 'message/rfc822')]
  const ids = returned.map((part) => readFields(part)[0]?.get('message-id') ?? '')
  return [...to.map(({ value }) => value), ...ids].map((text) => text.slice(0, 500))
}

function complaintsIn(part: string, mail: string): MailReport[] {
  const [fields] = readFields(part)
  const type = fields?.get('feedback-type')?.toLowerCase()
  if (type !== 'abuse' && type !== 'fraud') return []
  // Many leave the address out, or make it unreadable: the mail itself is named all the same.
  const recipient = fields?.get('original-rcpt-to')?.replaceAll(/[<>]/g, '')
  return [{ type: 'complaint', mail, ...(recipient?.includes('@') && { recipient }) }]
}

/** Of a mail that failed for good; a delay says nothing final. */
function bouncesIn(part: string, mail: string): MailReport[] {
  const [, ...recipients] = readFields(part)
  return recipients.slice(0, MAX_RECIPIENTS).flatMap((fields): MailReport[] => {
    const [status, reply] = [fields.get('status'), plainValue(fields, 'diagnostic-code')]
    if (fields.get('action')?.toLowerCase() !== 'failed' || status?.startsWith('4')) return []
    const isHard = isDeadStatus(statusIn(status)) || isDeadStatus(statusIn(reply))
    const recipient = plainValue(fields, 'original-recipient') ?? plainValue(fields, 'final-recipient')
    return [{ type: isHard ? 'hard_bounce' : 'bounce', mail, recipient: recipient ?? '', ...(reply && { reply }) }]
  })
}

/** Such fields begin with the kind of what follows: `rfc822; ada@example.com`. */
function plainValue(fields: Fields, name: string): string | undefined {
  return fields
    .get(name)
    ?.replace(/^[^;]{0,50};/, '')
    .trim()
}

/** Groups of header fields, with blank lines between them; the first of a name counts. */
function readFields(text: string): Fields[] {
  const groups = text
    .slice(0, 64 * 1024)
    .replaceAll('\r\n', '\n')
    .trim()
    .split(/\n[ \t]*\n/)
  return groups.slice(0, MAX_RECIPIENTS + 1).map((group) => {
    const fields = new Map<string, string>()
    for (const line of group.replaceAll(/\n[ \t]+/g, ' ').split('\n')) {
      const at = line.indexOf(':')
      const name = line.slice(0, Math.max(at, 0)).trim().toLowerCase()
      if (name !== '' && !fields.has(name)) fields.set(name, line.slice(at + 1).trim())
    }
    return fields
  })
}
