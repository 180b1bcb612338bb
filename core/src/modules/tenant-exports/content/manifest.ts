import type { Written } from '#kernel'
import type { Column } from './content-queries.ts'
import type { LeftOut } from './tables.ts'

/** The version of the format itself: what entries there are, and what this file says of them. */
export const FORMAT = 1
export const MANIFEST = 'manifest.json'
/** Proves to this installation that it made the manifest. */
export const SEAL = 'manifest.seal'
export const PEOPLE = 'people.ndjson'
export const FILES = 'files.ndjson'
export const tableEntry = (name: string): string => `tables/${name}.ndjson`
/** The name is for people; who reads an export goes by the list of files. */
export const fileEntry = (id: string, filename: string): string => `files/${id}/${filename}`

/** An entry of lines of JSON. */
export interface EntryOfLines extends Written {
  entry: string
  rows: number
}

export interface TableEntry extends EntryOfLines {
  name: string
  module: string
  /** The number of the last migration of its module that names it. */
  schema_version: number
  columns: Column[]
  /** Columns that are left out. */
  without: readonly string[]
}

/** Of a file, in the list of files. `absent`: the storage was without it, or it was removed meanwhile; `withheld`: no scanner has found it clean. */
export interface FileLine {
  id: string
  /** Null unless it is there. */
  entry: string | null
  state: 'whole' | 'damaged' | 'absent' | 'withheld'
  size: number
  sha256: string
}

/** What an export says of itself. */
export interface Manifest {
  format: 'tenantry.tenant-export'
  format_version: typeof FORMAT
  product_version: string
  exported_at: string
  tenant: { id: string; name: string; slug: string }
  tables: TableEntry[]
  left_out: LeftOut[]
  people: EntryOfLines
  files: EntryOfLines & { whole: number; bytes_of_files: number }
}
