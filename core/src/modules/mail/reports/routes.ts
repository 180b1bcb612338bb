import { type Ctx, defineRoute, isSigned, parseJson, type Route, signatureInvalid, Type, unavailable } from '#kernel'
import { MailReports, ReportsTaken } from '../schema.ts'
import { applyReports } from './apply.ts'
import { readReports } from './delivery-status.ts'

const signed = (description: string, example: string, maxLength = 200) =>
  Type.String({ minLength: 1, maxLength, description, examples: [example] })

const common = {
  method: 'POST',
  access: 'public',
  transaction: 'manual', // whose mail it is about stands in what is signed
  headers: Type.Object({
    'webhook-id': signed('Names the message; signed along', 'msg_1'),
    'webhook-timestamp': signed('Seconds since 1970, at most five minutes away; signed along', '1767182400'),
    'webhook-signature': signed('One signature or several, each `v1,` and base64', 'v1,K5oZfzN95Z9UVu1EsfQm', 2_000),
  }),
  bodyLimit: 1024 * 1024,
  response: { 200: ReportsTaken },
  errors: [signatureInvalid, unavailable],
} as const // the words themselves are what a route is declared with

const SIGNED = 'Signed with `MAIL_REPORT_SECRET` as Standard Webhooks has it.'
const IGNORED =
  'What names no mail of this installation, or another address than it went to, is ignored, as is what says nothing final.'

export const reportRoutes: readonly Route[] = [
  defineRoute({
    ...common,
    path: '/mails/reports',
    name: 'reportMails',
    summary: 'Report mails that came back or were complained about',
    description: `${SIGNED} \`{reports: [{type, mail, recipient?, reply?}]}\`, up to 500: \`type\` is \`hard_bounce\` (nobody is at the address), \`bounce\` (it came back for another reason, for good) or \`complaint\`; \`mail\` is the Message-ID, or the address that the mail was sent from; \`recipient\` the address that it went to; \`reply\` what its mail server said. ${IGNORED}`,
    raw: ['application/json'],
    handler: (ctx, { headers, raw }) => {
      requireSigned(ctx, headers, raw)
      return applyReports(ctx, parseJson(raw, MailReports).reports, 'provider')
    },
  }),
  defineRoute({
    ...common,
    path: '/mails/reports/returned',
    name: 'reportReturnedMail',
    summary: 'Pass on a mail that came back',
    description: `${SIGNED} The mail as it arrived: a delivery status notification (RFC 3464) or a complaint (RFC 5965). ${IGNORED}`,
    raw: ['message/rfc822'],
    handler: async (ctx, { headers, raw }) => {
      requireSigned(ctx, headers, raw)
      return applyReports(ctx, await readReports(raw), 'mail')
    },
  }),
]

type Headers = Record<'webhook-id' | 'webhook-timestamp' | 'webhook-signature', string>

/** Throws 503 where no reports are taken, 401 for what does not bear our signature. */
function requireSigned({ config, clock }: Ctx, headers: Headers, body: Buffer): void {
  const { reportSecret } = config.mail
  if (reportSecret === null) throw unavailable({ detail: 'This installation takes no reports of mails' })
  const [id, timestamp, signature] = [headers['webhook-id'], headers['webhook-timestamp'], headers['webhook-signature']]
  if (!isSigned({ id, timestamp, signature, body }, [reportSecret], clock.ms())) throw signatureInvalid()
}
