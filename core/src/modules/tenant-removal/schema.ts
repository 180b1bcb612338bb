import { Closed, Described, Line, Nullable, OneOf, pickFields, Timestamp, Type, Uuid } from '#kernel'
import type { RemovalRow } from './table.ts'

export const RemovalParams = Closed({ id: Uuid })

export const RemovalQuery = Closed({
  reason: Type.Optional(
    Line(1000, 'Contract ended on 31 March', 'Why; the tenant finds it in its own log until it is removed'),
  ),
})

export const PlannedRemoval = Closed(
  { purge_at: Described(Timestamp, 'From when on its data is removed for good. Until then `reactivate` undoes it') },
  { title: 'PlannedRemoval', description: 'A tenant that waits to be removed' },
)
export type PlannedRemoval = Type.Static<typeof PlannedRemoval>

const count = (description: string) => Type.Integer({ minimum: 0, description })
const requester = Closed(
  {
    type: OneOf(['user', 'api_key', 'system', 'admin'], { description: '`system`: on the command line' }),
    id: Nullable(Described(Uuid, 'The person; null: the command line')),
    label: Type.String({ description: 'Their name', examples: ['Ada Lovelace'] }),
  },
  { description: 'Who had it removed' },
)
const requested = {
  requested_at: Described(Timestamp, 'When somebody had it removed'),
  requested_by: requester,
  reason: Nullable(Type.String({ description: 'Why, as far as it was said' })),
  purge_at: Described(Timestamp, 'From when on nothing could be undone'),
}

/** How far the removal of a tenant has come, for operators. */
export const TenantRemoval = Closed(
  {
    ...requested,
    begun_at: Nullable(Described(Timestamp, 'When its data began to be removed; null: it can be undone')),
    rows_removed: count('Rows that are gone'),
    objects_removed: count('Objects that storages had of it, from when they are counted'),
    problem: Nullable(
      Type.String({
        description: 'Why it stands still; it is tried again',
        examples: ['The storage s3 is not described by the settings'],
      }),
    ),
    retry_at: Nullable(Described(Timestamp, 'When it is tried again')),
  },
  { title: 'TenantRemoval', description: 'That a tenant is to be removed, and how far that has come' },
)
export type TenantRemoval = Type.Static<typeof TenantRemoval>

const SHA_256 = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'
const hex = (description: string) => Type.String({ pattern: '^[0-9a-f]{64}$', description, examples: [SHA_256] })

/** What a certificate says: what is hashed and signed is its canonical JSON. */
export const RemovalFacts = Closed(
  {
    certificate: OneOf(['tenantry.tenant-removal'], { description: 'What this is' }),
    version: Type.Integer({ minimum: 1, description: 'The form of this text', examples: [1] }),
    tenant_id: Described(Uuid, 'The tenant that is gone'),
    slug_sha256: hex('SHA-256 of its slug in hexadecimal'),
    ...requested,
    begun_at: Described(Timestamp, 'When its data began to be removed'),
    purged_at: Described(Timestamp, 'When the last of it was gone'),
    rows: Type.Array(
      Closed({
        table: Type.String({ description: 'A table', examples: ['stores'] }),
        rows: count('How many of its rows were removed, or named the tenant and do not any more'),
      }),
      { description: 'Each table that had any, by name' },
    ),
    storages: Type.Array(
      Closed({
        storage: OneOf(['local', 's3'], { description: 'A storage' }),
        objects: count('How many objects were removed from it'),
        bytes: count('Their bytes'),
      }),
      { description: 'Each storage that the settings described' },
    ),
    accounts: count('Accounts that were removed: of people who were invited by this tenant alone and never signed in'),
    product: Closed(
      {
        name: Type.String({ description: 'Its name', examples: ['Tenantry'] }),
        version: Type.String({ description: 'Its version', examples: ['1.4.0'] }),
      },
      { description: 'The software that removed it' },
    ),
  },
  { title: 'RemovalFacts', description: 'What was removed of a tenant' },
)
export type RemovalFacts = Type.Static<typeof RemovalFacts>

export const RemovalCertificate = Closed(
  {
    facts: RemovalFacts,
    content: Type.String({
      description: 'The facts as canonical JSON (RFC 8785), to the byte what was hashed',
      examples: ['{"accounts":0,"begun_at":"2026-03-02T04:10:00.000Z"}'],
    }),
    sha256: hex('SHA-256 of `content` in hexadecimal'),
    signature: Closed(
      {
        kid: Type.String({
          description: 'Which of the keys of `GET /audit/keys` signed',
          examples: ['q1Zv0nT6qJ8e'],
        }),
        public_key: Type.String({ description: 'Ed25519, 32 bytes in base64url', examples: ['MCowBQYDK2VwAyEA'] }),
        value: Type.String({
          description: 'Ed25519 over the 32 bytes of the hash, in base64url',
          examples: ['dGVzdA'],
        }),
      },
      { description: 'Made with the key that seals of audit logs are made with' },
    ),
    is_valid: Type.Boolean({
      description:
        'Whether hash and signature fit, and the key is one that this installation has, or had before (`APP_SECRET_PREVIOUS`)',
    }),
  },
  { title: 'RemovalCertificate', description: 'What is left of a tenant that was removed for good' },
)
export type RemovalCertificate = Type.Static<typeof RemovalCertificate>

/** What records of the installation keep of the removal of a tenant. */
export const RemovalRecord = Closed(
  {
    id: Described(Uuid, 'The tenant'),
    name: Type.String({ description: 'Its name' }),
    slug: Type.String({ description: 'Its slug' }),
    reason: Nullable(Type.String({ description: 'Why, as far as it was said' })),
    purge_at: Described(Timestamp, 'From when on nothing could be undone'),
    sha256: Nullable(Type.String({ description: 'The hash of the certificate, once it is gone' })),
  },
  { title: 'RemovalRecord' },
)

export const requestedOf = ({ requested_at, reason, purge_at, ...row }: RemovalRow) => ({
  requested_at,
  requested_by: { type: row.requested_by_type, id: row.requested_by_id, label: row.requested_by_label },
  reason,
  purge_at,
})

/** A removal as operators see it. */
export function presentRemoval(row: RemovalRow): TenantRemoval {
  const { rows = {}, storages = {} } = row.progress
  const sum = (numbers: number[]) => numbers.reduce((total, each) => total + each, 0)
  return pickFields(TenantRemoval, {
    ...row,
    ...requestedOf(row),
    rows_removed: sum(Object.values(rows)),
    objects_removed: sum(Object.values(storages).map(({ objects }) => objects)),
  })
}
