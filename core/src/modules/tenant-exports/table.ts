import type { Backend, Generated, Selectable, TenantRow } from '#kernel'

/** Why an export came to nothing. */
export const ERRORS = ['storage_full', 'unexpected'] as const // the words are a type
export type ExportError = (typeof ERRORS)[number]

/** How far the writing of an export has come. Totals are null until they are known. */
export interface ProgressColumns {
  tables_done: Generated<number>
  tables_total: number | null
  rows_done: Generated<number>
  files_done: Generated<number>
  files_total: number | null
}

/** An export of a tenant. */
export interface TenantExportTable extends TenantRow, ProgressColumns {
  requested_by: string | null
  attempts: Generated<number>
  started_at: string | null
  finished_at: string | null
  error: ExportError | null
  storage_backend: Backend | null
  storage_path: string | null
  size: number | null
  checksum_sha256: string | null
  expires_at: string | null
}

/** An import that has begun and is not complete. Global: it begins before its tenant is there. */
export interface TenantImportTable {
  tenant_id: string
  manifest_sha256: string
  slug: string
  owner_email: string | null
  plan: string | null
  salt: string
  step: string
  lines_done: Generated<number>
  created_at: string
  updated_at: string
}

/** Who of an export is who here, while it is read. */
export interface TenantImportPersonTable {
  tenant_id: string
  exported_id: string
  user_id: string
  /** `linked` to an account that was there; `none`: an account that nobody can use. */
  kind: 'linked' | 'new' | 'none'
}

/** A restore that has begun and is not complete. */
export interface TenantRestoreTable extends TenantRow {
  manifest_sha256: string
  tables: string[]
  replaces: boolean
  step: string
  lines_done: Generated<number>
  counts: Readonly<Record<string, RestoreCounts>>
}

/** Rows of a table, by what was found of them and what came of it. */
export interface RestoreCounts {
  /** Of the export, and not here: they come back. */
  missing: number
  /** Otherwise here: they become what they were. */
  changed: number
  /** Here, and not in the export: they stay, or go where that is asked for. */
  extra: number
  /** Of the export, and cannot come back: without what no export has, without the person that they refer to, or since something is in their place. */
  unrestorable: number
}

export type RestoreRow = Selectable<TenantRestoreTable>
export type ImportRow = Selectable<TenantImportTable>

declare module '#kernel' {
  interface Tables {
    tenant_exports: TenantExportTable
    tenant_imports: TenantImportTable
    tenant_import_people: TenantImportPersonTable
    tenant_restores: TenantRestoreTable
  }
}

export type ExportRow = Selectable<TenantExportTable>
export type Progress = Selectable<ProgressColumns>
