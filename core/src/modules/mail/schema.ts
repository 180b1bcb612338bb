import {
  Closed,
  CreatedAt,
  Described,
  Email,
  ListQuery,
  Moment,
  Nullable,
  OneOf,
  OwnId,
  pickFields,
  type Static,
  TenantId,
  Timestamp,
  Type,
  UpdatedAt,
  Uuid,
} from '#kernel'
import { type MailRow, REASONS, STATUSES, type SuppressionRow } from './table.ts'

const status = OneOf(STATUSES, {
  description:
    '`queued`: it has not left; `deferred`: it was not taken and is tried again; `sent`: the mail server took it; `bounced`: its address does not exist or takes no mail; `suppressed`: its address is on the list of `GET /mails/suppressions`; `failed`: it was refused or given up; `canceled`: it did not leave',
})
const reason = Nullable(
  OneOf(REASONS, {
    description:
      'Why, where the status does not say it. `unreachable`: the mail server did not answer; `refused`: it will not take this mail; `gave_up`: it took it in no attempt of a day; `unreadable`: it could not be written; `no_longer_valid`: what it says was of no use any more, such as a link that was used, or its recipient has switched such mails off or left; `by_hand`: a person canceled it; `mail_off`: this installation sends no mail; `complaint`: its recipient called it unwanted',
  }),
)
const kind = Type.String({ maxLength: 200, description: 'What it is about', examples: ['invitation'] })
const server_reply = Nullable(
  Type.String({
    description: 'What the mail server said last, without addresses and links; null: nothing',
    examples: ['250 2.0.0 OK: queued as 4bXYZ'],
  }),
)
const moment = (description: string) => Nullable(Described(Timestamp, description))

const global = {
  id: OwnId,
  to: Type.String({ description: 'The address', examples: ['ada@example.com'] }),
  subject: Type.String({
    description: 'As it was when the mail was posted',
    examples: ['Bob invites you to join Acme'],
  }),
  kind,
  status,
  reason,
  attempts: Type.Integer({ description: 'How often it was tried', examples: [1] }),
  server_reply,
  sent_at: moment('When the mail server took it; null: it did not'),
  next_attempt_at: moment('When it is tried, at the earliest; null: as soon as possible, or never again'),
  resend_of: Nullable(Described(Uuid, 'The mail of which it is a copy, sent once more by a person; null: of none')),
  created_at: CreatedAt,
  updated_at: UpdatedAt,
}

/** A mail without a tenant, for those who run the installation. Neither its text nor a link of it. */
export const GlobalMail = Closed(global, { title: 'GlobalMail', description: 'A mail that belongs to no tenant' })
export type GlobalMail = Static<typeof GlobalMail>

export const Mail = Closed(
  { tenant_id: TenantId, ...global },
  { title: 'Mail', description: 'A mail that was posted. What it says is shown nowhere' },
)
export type Mail = Static<typeof Mail>

export const MailParams = Closed({ id: Uuid })
export const MailQuery = ListQuery({
  status: Type.Optional(status),
  to: Type.Optional(Described(Email, 'Exactly this address')),
  kind: Type.Optional(kind),
  since: Type.Optional(Moment('Posted at this moment or later')),
  until: Type.Optional(Moment('Posted before this moment', '2126-01-31T12:00:00.000Z')),
})
export type MailFilter = Omit<Static<typeof MailQuery>, 'limit' | 'cursor'>

/** A mail as records keep it: without its subject, which may name people. */
export const MailRecord = Closed({ id: Uuid, to: Type.String(), kind, status, reason, resend_of: Nullable(Uuid) })

export const MailSuppression = Closed(
  {
    tenant_id: TenantId,
    id: OwnId,
    email: Type.String({ description: 'The address', examples: ['ada@example.com'] }),
    reason: OneOf(['hard_bounce', 'complaint'], {
      description: '`hard_bounce`: nobody is at that address; `complaint`: its owner called a mail of yours unwanted',
    }),
    server_reply,
    mail_id: Nullable(Described(Uuid, 'The mail that led to it, which may be gone; null: none')),
    created_at: CreatedAt,
    updated_at: UpdatedAt,
  },
  { title: 'MailSuppression', description: 'An address that your mails do not go to' },
)
export type MailSuppression = Static<typeof MailSuppression>

export const SuppressionParams = Closed({ id: Uuid })
export const SuppressionQuery = ListQuery({ email: Type.Optional(Described(Email, 'Exactly this address')) })
export type SuppressionFilter = Pick<Static<typeof SuppressionQuery>, 'email'>

/** What is sent to the address for reports. */
export const MailReports = Closed({
  reports: Type.Array(
    Closed({
      type: OneOf(['hard_bounce', 'bounce', 'complaint'], {
        description:
          '`hard_bounce`: nobody is at the address; `bounce`: it came back for another reason and for good; `complaint`: its recipient called it unwanted',
      }),
      mail: Type.String({
        maxLength: 1_000,
        description: 'The Message-ID of the mail, or the address that it was sent from',
        examples: [`<${'a'.repeat(64)}@example.com>`],
      }),
      recipient: Type.Optional(
        Type.String({ maxLength: 1_000, description: 'The address that it went to; another one is not believed' }),
      ),
      reply: Type.Optional(
        Type.String({ maxLength: 2_000, description: 'What the mail server of the recipient said' }),
      ),
    }),
    { minItems: 1, maxItems: 500, description: 'What has become of mails' },
  ),
})
export type MailReport = Static<typeof MailReports>['reports'][number]

export const ReportsTaken = Closed(
  {
    taken: Type.Integer({ description: 'Reports that changed something', examples: [1] }),
    ignored: Type.Integer({
      description: 'Reports about no mail of ours, or that said nothing new, or nothing final',
      examples: [0],
    }),
  },
  { title: 'MailReportsTaken' },
)

export const presentMail = (tenant_id: string, row: MailRow): Mail => pickFields(Mail, { tenant_id, ...row })
export const presentGlobalMail = (row: MailRow): GlobalMail => pickFields(GlobalMail, row)
export const recordMail = (row: MailRow): Static<typeof MailRecord> => pickFields(MailRecord, row)
export const recordSuppression = (row: SuppressionRow): MailSuppression => pickFields(MailSuppression, row)
