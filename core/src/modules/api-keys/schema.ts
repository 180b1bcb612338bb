import {
  Closed,
  CreatedAt,
  Day,
  Described,
  Line,
  ListQuery,
  Moment,
  Nullable,
  OneOf,
  OwnId,
  Patch,
  Search,
  type Static,
  TenantId,
  Timestamp,
  Type,
  UpdatedAt,
  Uuid,
} from '#kernel'

const MAX_SCOPES = 200
const MAX_STORES = 100
const MAX_NETWORKS = 50
/** Keys of one import. */
const MAX_IMPORTED = 100
export const MAX_OVERLAP_HOURS = 168
export const DEFAULT_OVERLAP_HOURS = 24

const name = Line(100, 'Till in Zürich', 'What people call it')
const scopes = Type.Array(Type.String({ maxLength: 100, examples: ['store.view'] }), {
  minItems: 1,
  maxItems: MAX_SCOPES,
  description: 'Permissions that it is limited to: codes of `GET /permissions`, each of which you hold yourself',
  examples: [['store.view']],
})
const store_ids = Nullable(
  Type.Array(Uuid, { minItems: 1, maxItems: MAX_STORES, description: 'The only stores that it may act in; null: all' }),
)
const network = Type.String({ maxLength: 50, description: 'In CIDR notation', examples: ['192.0.2.0/24'] })
const allowed_cidrs = Nullable(
  Type.Array(network, {
    minItems: 1,
    maxItems: MAX_NETWORKS,
    description: 'The only networks that it may be used from; null: any',
    examples: [['192.0.2.0/24']],
  }),
)
const rate_limit_per_minute = Nullable(
  Type.Integer({
    minimum: 1,
    maximum: 1_000_000,
    description: 'Requests that it may send in a minute; null: as many as any key',
    examples: [600],
  }),
)
const expires_at = Nullable(Moment('When it ends by itself; null: never', '2126-01-31T12:00:00.000Z'))
const moment = (description: string) => Nullable(Described(Timestamp, description))

export const ApiKey = Closed(
  {
    tenant_id: TenantId,
    id: OwnId,
    name: Type.String({ description: 'What people call it' }),
    key_prefix: Type.String({
      description: 'The 8 characters after `tk_live_`, to tell keys apart; of an imported key what was given for it',
      examples: ['Qm3xT9aZ'],
    }),
    scopes: Type.Array(Type.String(), { description: 'Permissions that it is limited to', examples: [['store.view']] }),
    store_ids: Nullable(Type.Array(Uuid, { description: 'The only stores that it may act in; null: all' })),
    allowed_cidrs: Nullable(
      Type.Array(Type.String(), { description: 'The only networks that it may be used from; null: any' }),
    ),
    rate_limit_per_minute: Nullable(
      Type.Integer({ description: 'Requests that it may send in a minute; null: as many as any key' }),
    ),
    last_used_at: moment('When it was last used, up to half a minute late; null: not yet'),
    last_used_ip: Nullable(Type.String({ description: 'From which address; null: not yet, or not known' })),
    expires_at: moment('When it ends by itself; of a key that was replaced, when its overlap ends; null: never'),
    revoked_at: moment('When it was revoked; null: it was not'),
    replaces_id: Nullable(Described(Uuid, 'The key that it was made for in place of; null: none')),
    created_by: Described(Uuid, 'The person who made it'),
    created_at: CreatedAt,
    updated_at: UpdatedAt,
  },
  { title: 'APIKey', description: 'A credential of the tenant for programs' },
)
export type ApiKey = Static<typeof ApiKey>

const key = Type.String({
  secret: true,
  description: 'The whole key, shown this once',
  examples: ['tk_live_00000000_000000000000000000000000000000003dy4zX'],
})
export const ApiKeyWithSecret = Closed(
  { ...ApiKey.properties, key },
  { title: 'APIKeyWithSecret', description: 'A new key, and its secret, which is shown this once' },
)
export type ApiKeyWithSecret = Static<typeof ApiKeyWithSecret>

const optional = {
  store_ids: Type.Optional(store_ids),
  allowed_cidrs: Type.Optional(allowed_cidrs),
  rate_limit_per_minute: Type.Optional(rate_limit_per_minute),
  expires_at: Type.Optional(expires_at),
}
export const NewApiKey = Closed({ name, scopes, ...optional }, { title: 'NewAPIKey' })
export type NewApiKey = Static<typeof NewApiKey>

export const ApiKeyPatch = Patch(
  { name, scopes, store_ids, allowed_cidrs, rate_limit_per_minute, expires_at },
  { title: 'APIKeyPatch', description: 'What changes: an absent field stays as it is, null clears it' },
)
export type ApiKeyPatch = Static<typeof ApiKeyPatch>

export const ApiKeyParams = Closed({ id: Uuid })
export const ApiKeyQuery = ListQuery({
  q: Type.Optional(Search(100, 'Part of the name or prefix, in upper or lower case')),
  status: Type.Optional(
    OneOf(['active', 'ended'], { description: '`active`: may be used; `ended`: revoked, expired or replaced' }),
  ),
})
export type ApiKeyFilter = Pick<Static<typeof ApiKeyQuery>, 'q' | 'status'>

export const Rotation = Closed(
  {
    overlap_hours: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: MAX_OVERLAP_HOURS,
        default: DEFAULT_OVERLAP_HOURS,
        description: 'For how many hours the present key goes on beside the new one; 0: it ends at once',
      }),
    ),
  },
  { title: 'APIKeyRotation' },
)

const ImportedKey = Closed(
  {
    name,
    hash: Type.String({
      pattern: '^[0-9a-fA-F]{64}$',
      says: 'must be a SHA-256 as 64 hexadecimal digits',
      description: 'SHA-256 of the whole key, in hexadecimal',
      examples: ['9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'],
    }),
    key_prefix: Type.Optional(
      Type.String({
        pattern: '^[\\x21-\\x7e]{1,8}$',
        says: 'must be 1 to 8 visible ASCII characters',
        description: 'How it begins, for people; default: the first 8 digits of the hash',
        examples: ['sk_12345'],
      }),
    ),
    scopes,
    ...optional,
  },
  { title: 'ImportedAPIKey' },
)
export type ImportedKey = Static<typeof ImportedKey>
export const KeyImport = Closed({
  keys: Type.Array(ImportedKey, { minItems: 1, maxItems: MAX_IMPORTED, description: 'The keys to take over' }),
})
export const ImportedKeys = Closed({ data: Type.Array(ApiKey, { description: 'The new keys, in the order given' }) })

export const UsageQuery = Closed({
  from: Type.Optional(Day('The first day (UTC); default: 29 days before the last')),
  to: Type.Optional(Day('The last day (UTC), itself included; default: today')),
})
const count = (description: string) => Type.Integer({ description, examples: [12] })
export const Usage = Closed(
  {
    data: Type.Array(
      Closed({
        date: Day('The day, in UTC'),
        requests: count('Answered requests'),
        errors: count('Of these, answered with a status from 400 on, 429 left out'),
        limited: count('Of these, answered with 429'),
      }),
      { description: 'Days on which it was used, the first one first; up to half a minute late' },
    ),
  },
  { title: 'APIKeyUsage' },
)
export type Usage = Static<typeof Usage>

/** What a secret scanner reports; more fields than these may come. */
export const LeakReport = Type.Array(
  Type.Object(
    {
      token: Type.String({ minLength: 1, maxLength: 1_000 }),
      type: Type.Optional(Type.String({ maxLength: 200 })),
      url: Type.Optional(Nullable(Type.String({ maxLength: 2_000 }))),
      source: Type.Optional(Nullable(Type.String({ maxLength: 200 }))),
    },
    { additionalProperties: true },
  ),
  { minItems: 1, maxItems: 100 },
)
export const LeakAnswer = Type.Array(
  Closed({
    token_hash: Type.String({ description: 'SHA-256 of the token, in hexadecimal', secret: false }),
    token_type: Type.String({ description: 'The type that was reported with it', secret: false }),
    label: OneOf(['true_positive', 'false_positive'], { description: '`true_positive`: it was a key of ours' }),
  }),
  { description: 'One for each token, in the order of the report' },
)
export type LeakAnswer = Static<typeof LeakAnswer>

const said = (description: string) => Nullable(Type.String({ description }))
export const LeakedApiKey = Closed({
  ...ApiKey.properties,
  source: said('Where it was found, as the report says: `content`, `commit`'),
  url: said('The address at which it was found, as the report says'),
})
