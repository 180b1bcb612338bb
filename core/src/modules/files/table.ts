import type { Backend, Generated, Selectable } from '#kernel'

/** `none`: there is no scanner. Only `none` and `clean` leave the storage. */
export type ScanStatus = 'none' | 'pending' | 'clean' | 'infected'

/** A file that is stored. `storage_path` is its key in the storage that the row names. */
export interface FileTable {
  tenant_id: string
  id: string
  uploaded_by: string | null
  filename: string
  original_filename: string
  content_type: string
  size: number
  checksum_sha256: string
  storage_backend: Backend
  storage_path: string
  entity_type: string | null
  entity_id: string | null
  store_id: string | null
  is_public: boolean
  scan_status: ScanStatus
  /** When a pending one, whose scan has failed, is looked at by the clock. */
  scan_retry_at: Generated<string | null>
  trashed_at: string | null
  /** Since when the storage has not had it. */
  missing_at: Generated<string | null>
  created_at: string
  updated_at: string
}

/** `form`: one request; `tus`: resumable; `direct`: straight to the storage. */
export type UploadKind = 'form' | 'tus' | 'direct'

/** An upload under way, and the part of the quota that it holds. Its id becomes that of the file. */
export interface UploadTable {
  tenant_id: string
  id: string
  kind: UploadKind
  /** Who began it, and alone may go on: `user:<id>`, `api_key:<id>`, `acting:<session id>` of an operator as somebody else. */
  begun_by: string
  filename: string
  original_filename: string
  content_type: string | null
  /** As announced; null where nobody did. */
  size: number | null
  /** Bytes of the quota. */
  reserved: number
  /** Bytes that are safe in the storage. */
  received: Generated<number>
  /** Of a resumable one: how many pieces have got a number. One that was lost under way leaves its number behind. */
  pieces: Generated<number>
  /** The pieces that hold what was received, in order: number and SHA-256 of each, `3:9f86…`. */
  kept: Generated<string[]>
  /** `Upload-Metadata` of a resumable one, as it was sent. */
  metadata: Generated<string | null>
  /** Whoever writes now, and until when nobody else may. */
  writer: Generated<string | null>
  writer_until: Generated<string | null>
  storage_backend: Backend
  storage_path: string
  entity_type: string | null
  entity_id: string | null
  store_id: string | null
  is_public: boolean
  expires_at: string
  created_at: string
  updated_at: string
}

export type FileRow = Selectable<FileTable>
export type UploadRow = Selectable<UploadTable>

declare module '#kernel' {
  interface Tables {
    files: FileTable
    file_uploads: UploadTable
  }
}
