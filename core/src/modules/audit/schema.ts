import {
  actorFields,
  Closed,
  Described,
  ListQuery,
  Moment,
  Nullable,
  OneOf,
  OwnId,
  Search,
  type Static,
  Timestamp,
  Type,
  Uuid,
} from '#kernel'
import { PROBLEMS } from './seals/check.ts'

const Values = (description: string) =>
  Type.Unsafe<Record<string, unknown> | null>({ type: ['object', 'null'], additionalProperties: true, description })

export const Actor = Closed(actorFields, { title: 'AuditActor', description: 'Who did it' })

// The order of the fields is the order of a CSV file's columns.
export const AuditLog = Closed(
  {
    id: OwnId,
    created_at: Described(Timestamp, 'When it happened'),
    tenant_id: Nullable(Described(Uuid, 'The tenant that it happened in; null: in none')),
    user_id: Nullable(Type.String({ format: 'uuid', description: 'The actor, when that is a person' })),
    actor: Actor,
    action: Type.String({ description: 'What happened: the name of an event', examples: ['store.created'] }),
    resource_type: Type.String({ description: 'What kind of thing it happened to', examples: ['store'] }),
    resource_id: Nullable(
      Type.String({
        description: 'Which one; null: none in particular',
        examples: ['01926f3c-7b1e-7cc3-98c4-dc0c0c07398f'],
      }),
    ),
    store_id: Nullable(Described(Uuid, 'The store that it happened in, or of `X-Store-ID`; null: none')),
    old_values: Values('What a change replaced: the changed fields alone; all of what is gone'),
    new_values: Values('What a change brought: the changed fields alone; all of what is new'),
    ip_address: Nullable(Type.String({ description: 'Where the request came from', examples: ['192.0.2.1'] })),
    user_agent: Nullable(Type.String({ description: 'What sent it, as it calls itself', examples: ['Mozilla/5.0'] })),
    request_id: Nullable(Type.String({ description: 'The `X-Request-ID` of the request' })),
    resource_label: Nullable(Type.String({ description: 'The name at the time', examples: ['Main'] })),
  },
  { title: 'AuditLog', description: 'One record of what happened; it is never changed' },
)
export type AuditLog = Static<typeof AuditLog>

const filters = {
  action: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 100,
      description: 'An action, or all that begin alike: `store.*`',
      examples: ['store.*'],
    }),
  ),
  resource_type: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 100,
      description: 'What kind of thing it happened to',
      examples: ['store'],
    }),
  ),
  resource_id: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 200,
      description: 'Which one it happened to',
      examples: ['01926f3c-7b1e-7cc3-98c4-dc0c0c07398f'],
    }),
  ),
  user_id: Type.Optional(Type.String({ format: 'uuid', description: 'Who acted' })),
  store_id: Type.Optional(Type.String({ format: 'uuid', description: 'The store that it happened in' })),
  ip_address: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 64,
      description: 'In any spelling; brackets and a port are ignored',
      examples: ['192.0.2.1'],
    }),
  ),
  from: Type.Optional(Moment('This moment or later')),
  to: Type.Optional(Type.With(Moment('Before this moment'), { examples: ['2026-02-28T12:00:00.000Z'] })),
  q: Type.Optional(
    Search(
      100,
      "A word of the action, of the actor's or of the resource's name begins with this, in letters of any case; it may go on over several words: `ada by` finds Ada Byron. The first 200 characters of a name are looked at",
    ),
  ),
}

export const Filters = Closed(filters)
/** The filters of a request; all that are given must match. */
export type Filters = Static<typeof Filters>

export const AuditLogQuery = ListQuery(filters)

const wideFilters = {
  ...filters,
  tenant_id: Type.Optional(
    Type.String({
      pattern: '^(?:none|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})$',
      says: 'must be the id of a tenant, or none',
      description: 'The tenant that it happened in; `none`: what happened in none. Default: all of it',
      examples: ['01926f3c-7b1e-7cc3-98c4-dc0c0c07398f'],
    }),
  ),
  actor: Type.Optional(
    Type.String({
      pattern: '^(?:user|api_key|system|admin|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})$',
      says: 'must be an id, or one of user, api_key, system and admin',
      description: 'Who acted: the id of a person or of an API key, or what they are, `admin` being operators',
      examples: ['admin'],
    }),
  ),
}
/** Of all tenants and of the installation. */
export type WideFilters = Static<ReturnType<typeof wideFilterSchema>>
const wideFilterSchema = () => Closed(wideFilters)

export const WideAuditLogQuery = ListQuery(wideFilters)

export const FORMATS = ['csv', 'json', 'ndjson'] as const // the words are the type
export type Format = (typeof FORMATS)[number]

export const ExportQuery = Closed({
  format: Type.Optional(
    OneOf(FORMATS, {
      default: 'csv',
      description: 'What the file is written in; `ndjson` is a record of JSON on each line',
    }),
  ),
  proof: Type.Optional(
    Type.Boolean({
      default: false,
      description:
        'With `format=ndjson` and no filters but `from` and `to`: sealed records in sealed order, each block of them followed by its seal, for `tenantry audit verify`',
    }),
  ),
  ...filters,
})

export const PeriodQuery = Closed({ from: filters.from, to: filters.to })

export const VerifiedAudit = Closed(
  {
    valid: Type.Boolean({ description: 'Whether all that was looked at is as it was sealed' }),
    checked: Type.Integer({ description: 'Records that are as they were sealed, up to the first that is not' }),
    first_invalid: Nullable(
      Closed(
        {
          problem: OneOf(PROBLEMS, { description: 'What was done to it; `seal`: to the seal of its block' }),
          record_id: Nullable(Described(Uuid, 'The record; null: one that is gone, or the seal of a block')),
          position: Nullable(Type.Integer({ description: 'In sealed order; the first record has 1' })),
          detail: Type.String({ description: 'What is wrong, in a sentence for people' }),
        },
        { title: 'AuditInvalid', description: 'The first, in sealed order, that is not as it was sealed; null: none' },
      ),
    ),
    sealed_until: Nullable(
      Type.String({
        format: 'date-time',
        description: 'When the newest sealed record was made; null: nothing is sealed',
      }),
    ),
    verified_at: Type.String({
      format: 'date-time',
      description: 'When this was looked at; an answer is kept for 5 minutes',
    }),
  },
  { title: 'VerifiedAudit', description: 'What looking through the sealed records has found' },
)
export type VerifiedAudit = Static<typeof VerifiedAudit>

export const CheckpointKey = Closed(
  {
    kid: Type.String({ description: 'As seals name it', examples: ['n2lTcGZ0vVJx'] }),
    algorithm: OneOf(['Ed25519'], { description: 'What seals are signed with' }),
    public_key: Type.String({
      description: 'What seals are verified with: 32 bytes in base64url',
      examples: ['11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo'],
    }),
  },
  { title: 'AuditKey', description: 'A key that seals are signed with' },
)
