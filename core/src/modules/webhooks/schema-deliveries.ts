import {
  Closed,
  Described,
  EventBody,
  ListQuery,
  Moment,
  Nullable,
  OneOf,
  OwnId,
  type Static,
  TenantId,
  Timestamp,
  Type,
  Uuid,
} from '#kernel'

const STATUSES = ['pending', 'delivered', 'failed'] as const // words on the wire
const status = OneOf(STATUSES, {
  description: '`pending`: it is on its way; `failed`: it was given up; redeliver or replay sends it again',
})
const responseStatus = Nullable(
  Type.Integer({ description: 'What the server answered; null: nothing', examples: [200] }),
)
const responseBody = Nullable(
  Type.String({ description: 'The first 8 KiB of the answer, as UTF-8; null: there was none', examples: ['ok'] }),
)
const error = Nullable(
  Type.String({ description: 'Why it was not taken; null: it was', examples: ['The server answered 503'] }),
)
const durationMs = Type.Integer({
  description: 'Milliseconds until the answer, or until there was none',
  examples: [87],
})

const delivery = {
  tenant_id: TenantId,
  id: OwnId,
  webhook_id: Described(Uuid, 'The webhook that it goes to'),
  event_id: Nullable(Described(Uuid, 'The event, and the `webhook-id` of its requests; null: a test')),
  event: Type.String({ description: 'What happened', examples: ['store.created'] }),
  payload: Nullable(Described(EventBody, 'What is sent; null: the event is not kept any more')),
  status,
}
const last = {
  next_attempt_at: Nullable(Described(Timestamp, 'When it is tried next; null: never')),
  response_status: responseStatus,
  response_body: responseBody,
  error,
  duration_ms: Nullable(Type.Integer({ description: 'Milliseconds that it took; null: not sent yet', examples: [87] })),
  delivered_at: Nullable(Described(Timestamp, 'When it was taken; null: not yet')),
  created_at: Described(Timestamp, 'When the event happened'),
}

export const WebhookDelivery = Closed(
  {
    ...delivery,
    attempts: Type.Integer({ description: 'How often it was sent', examples: [1] }),
    ...last,
  },
  { title: 'WebhookDelivery', description: 'An event on its way to a webhook, and what the last attempt came to' },
)
export type WebhookDelivery = Static<typeof WebhookDelivery>

const Attempt = Closed(
  {
    at: Described(Timestamp, 'When it was sent'),
    response_status: responseStatus,
    response_body: responseBody,
    error,
    duration_ms: durationMs,
  },
  { title: 'WebhookAttempt', description: 'What came of sending it once' },
)

export const WebhookDeliveryWithAttempts = Closed(
  {
    ...delivery,
    attempts: Type.Array(Attempt, {
      description: 'Every attempt, the first one first; of more than 100 the last ones',
    }),
    ...last,
  },
  { title: 'WebhookDeliveryWithAttempts', description: 'An event on its way to a webhook, and every attempt' },
)
export type WebhookDeliveryWithAttempts = Static<typeof WebhookDeliveryWithAttempts>

export const DeliveryQuery = ListQuery({
  status: Type.Optional(OneOf(STATUSES, { description: 'Only those that are so' })),
  event: Type.Optional(
    Type.String({ minLength: 1, maxLength: 100, description: 'Only of this event', examples: ['store.created'] }),
  ),
})
export type DeliveryFilter = Pick<Static<typeof DeliveryQuery>, 'status' | 'event'>

export const DeliveryParams = Closed({ id: Uuid, delivery_id: Uuid })

export const TestMessage = Closed(
  {
    event: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 100,
        description: 'Sends the sample of this event; default: a `webhook.test`',
        examples: ['store.created'],
      }),
    ),
  },
  { title: 'WebhookTest' },
)

export const Replay = Closed(
  {
    since: Moment('What happened at this moment or later'),
    until: Type.With(Moment('And before this one'), { examples: ['2026-02-28T12:00:00.000Z'] }),
    status: Type.Optional(
      OneOf([...STATUSES, 'missed'], {
        description:
          'Only what has this status; `missed`: what was never noted for it, because it was off or not there. Default: all of it',
        examples: ['failed'],
      }),
    ),
  },
  { title: 'WebhookReplay' },
)
export type Replay = Static<typeof Replay>

export const Replayed = Closed(
  { queued: Type.Integer({ description: 'How many were put on their way', examples: [12] }) },
  { title: 'WebhookReplayed' },
)

export const WebhookStats = Closed(
  {
    attempts: Type.Integer({
      description: 'Attempts of the last seven days, of which the last 1,000 count here',
      examples: [120],
    }),
    success_rate: Nullable(
      Type.Number({ description: 'The share of them that was taken, 0 to 1; null: there were none', examples: [0.98] }),
    ),
    p50_ms: Nullable(
      Type.Integer({ description: 'Half of their answers came within so many milliseconds', examples: [85] }),
    ),
    p95_ms: Nullable(Type.Integer({ description: 'Of twenty answers nineteen came within so many', examples: [240] })),
    pending: Type.Integer({ description: 'Deliveries on their way; 10,000 stands for as many or more', examples: [3] }),
    oldest_pending_at: Nullable(Described(Timestamp, 'When the oldest of them happened; null: there is none')),
    backlog_age_seconds: Nullable(Type.Integer({ description: 'How long ago that is', examples: [12] })),
    next_attempt_at: Nullable(
      Described(Timestamp, 'When something is sent next; null: nothing is waiting, or it is off'),
    ),
    failures: Type.Integer({ description: 'Attempts since something was last taken', examples: [0] }),
    failing_since: Nullable(Described(Timestamp, 'Since when nothing was taken; null: the last attempt was')),
  },
  { title: 'WebhookStats' },
)
export type WebhookStats = Static<typeof WebhookStats>

export const PublishedEvents = Type.Object(
  {
    data: Type.Array(
      Closed(
        {
          name: Type.String({
            description: 'What `events` of a webhook and `type` of a message say',
            examples: ['store.created'],
          }),
          description: Type.String({ description: 'What happened', examples: ['A store was opened'] }),
          schema: Type.Object({}, { additionalProperties: true, description: 'JSON Schema of `data` of its messages' }),
          sample: Described(EventBody, 'A message of it'),
        },
        { title: 'PublishedEvent' },
      ),
      { description: 'All of them' },
    ),
  },
  { additionalProperties: false },
)
