import {
  Closed,
  CreatedAt,
  Line,
  Nullable,
  OneOf,
  OutboundUrl,
  OwnId,
  Patch,
  RecordedReceiver,
  RotatedSecret as Rotated,
  SigningSecret,
  type Static,
  TenantId,
  Timestamp,
  Type,
  UpdatedAt,
  Uuid,
} from '#kernel'

const description = Nullable(Line(200, 'Our SIEM', 'What you call it; null: nothing'))
const url = OutboundUrl('https://siem.example.com/audit')
const moment = (description: string) => Nullable(Type.String({ format: 'date-time', description }))

const state = {
  status: OneOf(['active', 'paused'], { description: '`paused`: nothing is sent, and what happens waits' }),
  paused_reason: Nullable(
    OneOf(['by_hand', 'failing'], {
      description: 'Why it is paused; `failing`: the receiver took nothing for 72 hours. Null: it is not',
    }),
  ),
  last_error: Nullable(
    Type.String({
      description: 'Why the last attempt failed; null once one succeeds',
      examples: ['The server answered 503'],
    }),
  ),
}

export const AuditSink = Closed(
  {
    tenant_id: TenantId,
    id: OwnId,
    url: Type.String({ description: 'Where batches are sent', examples: ['https://siem.example.com/audit'] }),
    description: Nullable(Type.String({ description: 'What you call it; null: nothing', examples: ['Our SIEM'] })),
    ...state,
    backlog: Type.Integer({ description: 'Sealed records that were not sent yet', examples: [0] }),
    sent_until: moment('When the last record that was sent had been made'),
    last_sent_at: moment('When the receiver last took something'),
    next_attempt_at: moment('After a failure: when it is tried again'),
    created_at: CreatedAt,
    updated_at: UpdatedAt,
  },
  { title: 'AuditSink', description: 'A server that the audit log is streamed to' },
)
export type AuditSink = Static<typeof AuditSink>

export const AuditSinkWithSecret = Closed(
  { ...AuditSink.properties, secret: SigningSecret },
  { title: 'AuditSinkWithSecret', description: 'A sink, and the secret that is shown this once' },
)
export type AuditSinkWithSecret = Static<typeof AuditSinkWithSecret>

export const NewAuditSink = Closed(
  {
    url,
    description: Type.Optional(description),
    from: Type.Optional(
      OneOf(['now', 'beginning'], {
        default: 'now',
        description: 'Whether it gets what is sealed from now on, or all that is there',
      }),
    ),
  },
  { title: 'NewAuditSink' },
)
export type NewAuditSink = Static<typeof NewAuditSink>

export const AuditSinkPatch = Patch({ url, description }, { title: 'AuditSinkPatch' })
export type AuditSinkPatch = Static<typeof AuditSinkPatch>

export const RotatedSecret = Rotated('AuditSinkSecret')
export type RotatedSecret = Static<typeof RotatedSecret>

export const ProbeResult = Closed(
  {
    ok: Type.Boolean({ description: 'The receiver answered 2xx' }),
    status: Nullable(Type.Integer({ description: 'What it answered', examples: [200] })),
    error: Nullable(Type.String({ description: 'Why it is not ok', examples: ['The server answered 401'] })),
  },
  { title: 'AuditSinkProbe' },
)
export type ProbeResult = Static<typeof ProbeResult>

export const SinkParams = Closed({ id: Uuid })

/** A sink as records keep it. */
export const SinkRecord = Closed({
  tenant_id: Uuid,
  id: Uuid,
  ...RecordedReceiver,
  description: Nullable(Type.String()),
  ...state,
  created_at: Timestamp,
  updated_at: Timestamp,
})
export type SinkRecord = Static<typeof SinkRecord>
