import { Closed, Described, Line, Nullable, OneOf, Timestamp, Type, Uuid } from '#kernel'
import { INTERRUPTIONS } from '../auth/index.ts'

const reasonText = 'Why, in a sentence that the tenant reads: the number of the ticket, who asked for it'

export const NewImpersonation = Closed(
  {
    user_id: Described(Uuid, 'Whom to act as: an active member of the tenant'),
    reason: Type.With(Line(500, 'Ticket 4711: invoices are missing, asked for by Ada Byron', reasonText), {
      minLength: 10,
    }),
    write: Type.Optional(
      Type.Boolean({ description: 'Also to change things; takes the role `all`. Default: only to read' }),
    ),
  },
  { title: 'NewImpersonation' },
)
export type NewImpersonation = Type.Static<typeof NewImpersonation>

export const Impersonation = Closed(
  {
    access_token: Type.String({
      secret: true,
      description:
        'JWT whose `sub` is the person and whose `act.sub` is you. Nothing renews it; `POST /auth/logout` ends it',
    }),
    token_type: Type.Literal('Bearer', { description: 'How the access token is sent: `Authorization: Bearer …`' }),
    expires_in: Type.Integer({
      description: 'Seconds until it ends: 900, or fewer where the tenant grants less',
      examples: [900],
    }),
    expires_at: Described(Timestamp, 'When it ends'),
    tenant_id: Described(Uuid, 'The tenant that it is for, and no other'),
    user_id: Described(Uuid, 'Whom you act as'),
    session_id: Described(Uuid, 'The session, as records name it'),
    read_only: Type.Boolean({ description: 'It changes nothing' }),
  },
  { title: 'Impersonation', description: 'What an operator acts as somebody else by' },
)
export type Impersonation = Type.Static<typeof Impersonation>

/** Why it is over. */
export const ENDS = ['signed_out', 'expired', ...INTERRUPTIONS] as const // the words are a type
export type End = (typeof ENDS)[number]

/** What both logs keep of a beginning and an end. */
export const ImpersonationRecord = Closed(
  {
    id: Described(Uuid, 'The session'),
    tenant_id: Described(Uuid, 'The tenant'),
    tenant_name: Type.String({ description: 'Its name' }),
    user_id: Described(Uuid, 'Who was acted for'),
    user_name: Type.String({ description: 'Their name' }),
    operator_id: Described(Uuid, 'Who acted'),
    operator_name: Type.String({ description: 'Their name' }),
    reason: Type.String({ description: 'Why, as the operator said' }),
    read_only: Type.Boolean({ description: 'Nothing could be changed' }),
    expires_at: Described(Timestamp, 'When it ends by itself'),
    end: Nullable(
      OneOf(ENDS, {
        description:
          'Why it is over; `expired`: its time was. Null: it begins. What was not ended by its operator is noted when its time is over',
      }),
    ),
  },
  { title: 'ImpersonationRecord' },
)
export type ImpersonationRecord = Type.Static<typeof ImpersonationRecord>
