import {
  Closed,
  Described,
  Email,
  Nullable,
  OneOf,
  SUPPORT_SEVERITIES,
  SupportSections,
  Timestamp,
  Type,
  Uuid,
} from '#kernel'

export const SupportQuery = Closed({
  email: Described(Email, 'The address that the ticket is about, in any spelling'),
  tenant_id: Type.Optional(Described(Uuid, 'This tenant alone')),
  store_id: Type.Optional(Described(Uuid, 'A store of that tenant; takes `tenant_id`')),
  permission: Type.Optional(
    Type.String({
      maxLength: 100,
      description: 'What the person lacks: a code of `GET /permissions`; takes `tenant_id`',
      examples: ['store.update'],
    }),
  ),
})
export type SupportQuery = Type.Static<typeof SupportQuery>

const Finding = Closed(
  {
    code: Type.String({ description: 'The cause, in one word', examples: ['mail_bounced'] }),
    severity: OneOf(SUPPORT_SEVERITIES, {
      description: '`high`: keeps somebody from what they want; `medium`: may do so; `low`: worth knowing',
    }),
    tenant_id: Nullable(Described(Uuid, 'The tenant that it is about; null: the person, or the address')),
    what: Type.String({ description: 'What was found, in a sentence' }),
    do: Type.String({ description: 'What to do about it' }),
  },
  { title: 'SupportFinding', description: 'A cause that explains a ticket' },
)
export type Finding = Type.Static<typeof Finding>

export const SupportAnswer = Closed(
  {
    email: Type.String({ description: 'The address as it is kept', examples: ['ada@example.com'] }),
    findings: Type.Array(Finding, { description: 'The likeliest first' }),
    left_out: Type.Array(Type.String({ examples: ['mails'] }), {
      description:
        'What is not complete: `tenants` (the person has more than were looked at), `findings`, and names of sections of which the newest alone are shown, or which could not be read',
    }),
    sections: SupportSections,
  },
  { title: 'SupportAnswer', description: 'What explains most tickets about an address' },
)
export type SupportAnswer = Type.Static<typeof SupportAnswer>

export const FailedJobs = Closed({
  failed: Type.Array(
    Closed({
      tenant_id: Described(Uuid, 'The tenant'),
      id: Described(Uuid, 'The job'),
      task: Type.String({ description: 'What it was to do', examples: ['webhooks.send'] }),
      attempts: Type.Integer({ description: 'How often it was tried' }),
      created_at: Described(Timestamp, 'When it was asked for'),
    }),
    { description: 'Jobs that were given up, the newest first' },
  ),
})

/** What the log of the installation keeps of an answer: of an address without an account nothing. */
export const Viewed = Closed({
  user_id: Nullable(Described(Uuid, 'The person; null: the address has no account')),
  tenant_id: Nullable(Described(Uuid, 'The tenant that was asked about; null: all of theirs')),
  permission: Nullable(Type.String({ description: 'The permission that was asked about' })),
})
