import {
  Closed,
  CreatedAt,
  Described,
  Nullable,
  OneOf,
  type Static,
  TenantId,
  Timestamp,
  Type,
  UpdatedAt,
  Uuid,
} from '#kernel'
import { ERRORS } from './table.ts'

const job_id = Described(Uuid, 'The id of the export')
const count = (description: string) => Type.Integer({ minimum: 0, description })
const total = (description: string) => Nullable(count(`${description}; null: not known yet`))
const moment = (description: string) => Nullable(Type.String({ format: 'date-time', description }))

const Progress = Closed(
  {
    tables_done: count('Tables that are written'),
    tables_total: total('Tables that there are'),
    rows_done: count('Rows that are written'),
    files_done: count('Files that are written'),
    files_total: total('Files that there are'),
  },
  { description: 'How far it has come' },
)

/** What audit records and notifications keep of an export. */
const facts = {
  tenant_id: TenantId,
  job_id,
  status: OneOf(['queued', 'running', 'done', 'failed'], {
    description: '`done`: it can be downloaded until `expires_at`. `failed`: it has ended without a file',
  }),
  requested_by: Nullable(Described(Uuid, 'Who asked for it; null: whoever runs the installation')),
  size: Nullable(Type.Integer({ minimum: 1, description: 'Of the ZIP file in bytes, once it is done' })),
  checksum_sha256: Nullable(
    Type.String({
      description: 'SHA-256 of the ZIP file in hexadecimal, once it is done',
      examples: ['9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'],
    }),
  ),
  error: Nullable(
    OneOf(ERRORS, {
      description:
        'Why it has failed: `storage_full`: there is no room for it; `unexpected`: the log of the server says more',
    }),
  ),
  finished_at: moment('When it was done, or has failed; null: not yet'),
  expires_at: moment('When it is removed; null while it is being written'),
  created_at: CreatedAt,
  updated_at: UpdatedAt,
}

export const TenantExportFacts = Closed(facts)
export type TenantExportFacts = Static<typeof TenantExportFacts>

export const TenantExport = Closed(
  {
    ...facts,
    progress: Progress,
    url: Nullable(
      Type.String({
        description:
          'Where it is downloaded, without a credential, by whoever has the address: it is good for an hour, and as long as you are an owner. Null: there is nothing to download',
        examples: ['https://app.example.com/api/v1/export-links/AZJvPHsefMOYxNwMDAc5jw'],
      }),
    ),
    url_expires_at: Nullable(Described(Timestamp, 'Until when `url` is good; each answer has a new one')),
  },
  { title: 'TenantExport', description: 'An export of everything that a tenant has' },
)
export type TenantExport = Static<typeof TenantExport>

export const StartedExport = Closed(
  { job_id },
  { title: 'StartedExport', description: 'The export that is being written now' },
)
export type StartedExport = Static<typeof StartedExport>

/** What is recorded of a restore. */
export const RestoreFacts = Closed({
  id: Uuid,
  name: Type.String(),
  slug: Type.String(),
  exported_at: Timestamp,
  replaces: Type.Boolean({ description: 'Whether rows that the export does not have were removed' }),
  tables: Type.Array(
    Closed({
      name: Type.String(),
      missing: count('Rows that came back'),
      changed: count('Rows that became what they were'),
      extra: count('Rows that were removed'),
      unrestorable: count('Rows that could not come back'),
    }),
  ),
})

/** What is recorded of an import. */
export const ImportFacts = Closed({
  id: Uuid,
  name: Type.String(),
  slug: Type.String(),
  exported_at: Timestamp,
  rows: count('Rows that were read'),
  files: count('Files that were read'),
})

/** What records of the installation keep of an export. */
export const OperatorExport = Closed({ id: Described(Uuid, 'The tenant'), job_id }, { title: 'OperatorExport' })
