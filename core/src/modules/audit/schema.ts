import { Closed, ListQuery, Moment, Nullable, OneOf, Search, type Static, Timestamp, Type, Uuid } from '#kernel'
import { PROBLEMS } from './sealing/checking.ts'

const Values = (description: string) =>
  Type.Unsafe<Record<string, unknown> | null>({ type: ['object', 'null'], additionalProperties: true, description })

export const Actor = Closed(
  {
    type: OneOf(['user', 'api_key', 'system', 'admin']),
    id: Nullable(Uuid),
    label: Type.String({ description: 'The name at the time', examples: ['Ada Byron'] }),
    impersonator_id: Nullable(
      Type.String({ format: 'uuid', description: 'Who really acted, when an operator acted as this person' }),
    ),
  },
  { title: 'AuditActor' },
)

// The order of the fields is the order of a CSV file's columns.
export const AuditLog = Closed(
  {
    id: Uuid,
    created_at: Timestamp,
    tenant_id: Nullable(Uuid),
    user_id: Nullable(Type.String({ format: 'uuid', description: 'The actor, when that is a person' })),
    actor: Actor,
    action: Type.String({ description: 'The name of an event', examples: ['store.created'] }),
    resource_type: Type.String({ examples: ['store'] }),
    resource_id: Nullable(Type.String({ examples: ['01926f3c-7b1e-7cc3-98c4-dc0c0c07398f'] })),
    store_id: Nullable(Uuid),
    old_values: Values('What a change replaced: the changed fields alone; all of what is gone'),
    new_values: Values('What a change brought: the changed fields alone; all of what is new'),
    ip_address: Nullable(Type.String({ examples: ['192.0.2.1'] })),
    user_agent: Nullable(Type.String({ examples: ['Mozilla/5.0'] })),
    request_id: Nullable(Type.String({ description: 'The `X-Request-ID` of the request' })),
    resource_label: Nullable(Type.String({ description: 'The name at the time', examples: ['Main'] })),
  },
  { title: 'AuditLog' },
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
  resource_type: Type.Optional(Type.String({ minLength: 1, maxLength: 100, examples: ['store'] })),
  resource_id: Type.Optional(
    Type.String({ minLength: 1, maxLength: 200, examples: ['01926f3c-7b1e-7cc3-98c4-dc0c0c07398f'] }),
  ),
  user_id: Type.Optional(Type.String({ format: 'uuid', description: 'Who acted' })),
  store_id: Type.Optional(Type.String({ format: 'uuid' })),
  ip_address: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 64,
      description: 'In any spelling; brackets and a port are ignored',
      examples: ['192.0.2.1'],
    }),
  ),
  from: Type.Optional(Moment('This moment or later')),
  to: Type.Optional(Moment('Before this moment')),
  q: Type.Optional(
    Search(
      100,
      "A word of the action, of the actor's or of the resource's name begins with this, in letters of any case; it may go on over several words: `ada by` finds Ada Byron. The first 200 characters of a name are looked at",
    ),
  ),
}

export const Filters = Closed(filters)
/** The filters of the audit log as they are sent; all that are given must hold. */
export type Filters = Static<typeof Filters>

export const AuditLogQuery = ListQuery(filters)

export const FORMATS = ['csv', 'json', 'ndjson'] as const // the words are the type
export type Format = (typeof FORMATS)[number]

export const ExportQuery = Closed({
  format: Type.Optional(OneOf(FORMATS, { default: 'csv' })),
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
    valid: Type.Boolean(),
    checked: Type.Integer({ description: 'Records that are as they were sealed, up to the first that is not' }),
    first_invalid: Nullable(
      Closed(
        {
          problem: OneOf(PROBLEMS),
          record_id: Nullable(Uuid),
          position: Nullable(Type.Integer({ description: 'In sealed order; the first record has 1' })),
          detail: Type.String(),
        },
        { title: 'AuditInvalid', description: 'In sealed order' },
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
  { title: 'VerifiedAudit' },
)
export type VerifiedAudit = Static<typeof VerifiedAudit>

export const CheckpointKey = Closed(
  {
    kid: Type.String({ description: 'As seals name it', examples: ['n2lTcGZ0vVJx'] }),
    algorithm: OneOf(['Ed25519']),
    public_key: Type.String({
      description: '32 bytes in base64url',
      examples: ['11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo'],
    }),
  },
  { title: 'AuditKey' },
)
