import {
  Closed,
  CreatedAt,
  Line,
  ListQuery,
  Nullable,
  OneOf,
  OutboundUrl,
  OwnId,
  Patch,
  RecordedReceiver,
  SigningSecret,
  type Static,
  TenantId,
  Timestamp,
  Type,
  UpdatedAt,
  Uuid,
} from '#kernel'
import { MAX_PATTERN_LENGTH } from './patterns.ts'
import { SIGNATURES } from './table.ts'

const ByName = <T>(value: object, options: object) =>
  Type.Unsafe<Record<string, T>>({ type: 'object', additionalProperties: value, ...options })

/** Versions of what is sent, the newest last. Within one, fields are only added. */
export const API_VERSIONS = ['2026-11-01'] as const // words on the wire
const LATEST = API_VERSIONS[API_VERSIONS.length - 1]

export const MAX_HEADERS = 20
export const MAX_OVERLAP_HOURS = 7 * 24

const url = OutboundUrl('https://example.com/hooks/tenantry')
const description = Nullable(Line(200, 'Our warehouse', 'What you call it; null: nothing'))
const events = Type.Array(Type.String({ minLength: 1, maxLength: MAX_PATTERN_LENGTH, examples: ['store.*'] }), {
  minItems: 1,
  maxItems: 100,
  description: 'Names of events, and patterns: `store.*` is all that begins with `store.`, `*` all there are',
})
const storeIds = Nullable(
  Type.Array(Uuid, {
    minItems: 1,
    maxItems: 100,
    description: 'Only what happens in these stores; null: whatever happens, also in none',
  }),
)
const maxPerSecond = Nullable(
  Type.Integer({
    minimum: 1,
    maximum: 1000,
    description: 'Requests in a second at most; null: as many as the server takes',
    examples: [50],
  }),
)
const headerValue = Type.String({
  minLength: 1,
  maxLength: 4096,
  pattern: '^[\\x21-\\x7e]([\\x20-\\x7e]*[\\x21-\\x7e])?$',
  examples: ['Bearer 8f14e45f'],
})
const headers = <T>(value: object) =>
  ByName<T>(value, {
    description: `Headers of every request, by name; ${MAX_HEADERS} at most. Those of HTTP and of the signature are refused`,
    examples: [{ Authorization: 'Bearer 8f14e45f' }],
    maxProperties: MAX_HEADERS,
  })

const moment = (description: string) => Nullable(Type.String({ format: 'date-time', description }))

export const Webhook = Closed(
  {
    tenant_id: TenantId,
    id: OwnId,
    url: Type.String({ description: 'Where events are sent', examples: ['https://example.com/hooks/tenantry'] }),
    description: Nullable(Type.String({ description: 'What you call it; null: nothing', examples: ['Our warehouse'] })),
    events,
    store_ids: storeIds,
    headers: ByName<string>(Type.String(), {
      description: 'Headers of every request; their values are not shown',
      examples: [{ Authorization: '***' }],
    }),
    api_version: Type.String({
      description: 'The version of what is sent, within which fields are only added',
      examples: [LATEST],
    }),
    signature: OneOf(SIGNATURES, {
      description:
        '`v1`: by a shared secret (HMAC-SHA256); `v1a`: by a key whose public half the receiver has (Ed25519)',
    }),
    max_per_second: maxPerSecond,
    is_active: Type.Boolean({ description: 'Whether events are sent; what happens meanwhile is not noted for it' }),
    disabled_reason: Nullable(
      OneOf(['failing', 'gone'], {
        description:
          'Why it was switched off by itself. `failing`: nothing was taken for five days in twenty attempts or more; it is tried every hour. `gone`: the server answered 410. Null: it was not',
      }),
    ),
    missed_since: moment('From here to `missed_until` it was off: replay what happened then, with the status `missed`'),
    missed_until: moment('Null: nothing was missed, or it is still off'),
    last_error: Nullable(
      Type.String({
        description: 'Why the last attempt failed; null once one succeeds',
        examples: ['The server answered 503'],
      }),
    ),
    created_at: CreatedAt,
    updated_at: UpdatedAt,
  },
  { title: 'Webhook', description: 'A server that events are sent to' },
)
export type Webhook = Static<typeof Webhook>

const keys = {
  secret: Type.Optional(SigningSecret),
  public_key: Type.Optional(
    Type.String({
      description: 'With `v1a` in place of a secret: what its signatures are checked by',
      examples: ['whpk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwCwI1Q2T6yGE='],
    }),
  ),
}

export const WebhookWithSecret = Closed(
  { ...Webhook.properties, ...keys },
  { title: 'WebhookWithSecret', description: 'A webhook, and what its signatures are checked by, shown this once' },
)
export type WebhookWithSecret = Static<typeof WebhookWithSecret>

export const NewWebhook = Closed(
  {
    url,
    events,
    description: Type.Optional(description),
    store_ids: Type.Optional(storeIds),
    headers: Type.Optional(headers<string>(headerValue)),
    api_version: Type.Optional(OneOf(API_VERSIONS, { default: LATEST, description: 'Default: the newest' })),
    signature: Type.Optional(
      OneOf(SIGNATURES, { default: 'v1', description: 'How its messages are signed; it cannot be changed' }),
    ),
    max_per_second: Type.Optional(maxPerSecond),
    is_active: Type.Optional(Type.Boolean({ default: true, description: 'Whether events are sent from now on' })),
  },
  { title: 'NewWebhook' },
)
export type NewWebhook = Static<typeof NewWebhook>

export const WebhookPatch = Patch(
  {
    url,
    events,
    description,
    store_ids: storeIds,
    headers: Nullable(headers<string | null>(Nullable(headerValue))),
    api_version: OneOf(API_VERSIONS, { description: 'The version of what is sent from now on' }),
    max_per_second: maxPerSecond,
    is_active: Type.Boolean({ description: 'Switched on again, it goes on with what it had' }),
  },
  { title: 'WebhookPatch' },
)
export type WebhookPatch = Static<typeof WebhookPatch>

export const Rotation = Closed(
  {
    overlap_hours: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: MAX_OVERLAP_HOURS,
        default: 24,
        description: 'So many hours the previous one signs too',
      }),
    ),
  },
  { title: 'WebhookRotation' },
)

export const RotatedSecret = Closed(
  {
    ...keys,
    previous_expires_at: Type.String({
      format: 'date-time',
      description: 'Until then the previous one signs too',
    }),
  },
  { title: 'WebhookSecret' },
)
export type RotatedSecret = Static<typeof RotatedSecret>

export const WebhookQuery = ListQuery({})
export const WebhookParams = Closed({ id: Uuid })

/** A webhook as records keep it. */
export const WebhookRecord = Closed({
  tenant_id: Uuid,
  id: Uuid,
  ...RecordedReceiver,
  description: Nullable(Type.String()),
  events: Type.Array(Type.String()),
  store_ids: Nullable(Type.Array(Uuid)),
  header_names: Type.Array(Type.String()),
  headers: Nullable(Type.String({ secret: true })),
  api_version: Type.String(),
  signature: Type.String(),
  max_per_second: Nullable(Type.Integer()),
  is_active: Type.Boolean(),
  disabled_reason: Nullable(Type.String()),
  last_error: Nullable(Type.String()),
  missed_since: Nullable(Timestamp),
  missed_until: Nullable(Timestamp),
  created_at: Timestamp,
  updated_at: Timestamp,
})
export type WebhookRecord = Static<typeof WebhookRecord>
