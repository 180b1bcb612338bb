import type { TSchema } from 'typebox'
import type { Ctx } from '../context.ts'

/**
 * What an export of a tenant has of one of its tables, and what is made of that where it is read. `never`: no row is in an export, for the
 * reason given, which completes "left out: …".
 */
export type ExportRule =
  | 'whole'
  | {
      /** Columns that are in no export. */
      readonly without?: readonly string[]
      readonly imported?: ImportRule
      readonly restored?: RestoreRule
    }
  | { readonly never: string }

/**
 * What another installation makes of the rows of a table. Whoever brings an export may have written it themselves, so nothing in it is
 * believed: who somebody is, what they may do, what they pay for, or that a request could have written it.
 */
export interface ImportRule {
  /** No row is taken, for this reason, which completes "left out: …". */
  readonly never?: string
  /** By column, the schema of the requests that write it. Null fits where the column may be null. */
  readonly columns?: Readonly<Record<string, TSchema>>
  /** What is wrong with a row that fits its schemas, as a sentence without its full stop; null: nothing. */
  readonly problem?: (tools: ImportTools, row: ExportedRow) => string | null
  /**
   * What a row says here in place of what it said there, or of what was left out: the same columns for every row. Null: the row is not taken.
   */
  readonly anew?: (tools: ImportTools, row: ExportedRow) => Record<string, unknown> | null
  /** Once all rows are there, in the transaction that opens the tenant: what is counted or made of them. */
  readonly completed?: (ctx: Ctx, tenant: ImportedTenant) => Promise<void>
  /** Of the table of what tenants pay: the plan of here that an export names by its id, or a command by its code; undefined: none. */
  readonly planOf?: (ctx: Ctx, by: { id: string } | { code: string }) => Promise<ImportedPlan | undefined>
  /**
   * Brings rows of an older export up: by the number of the module's migration that changed the table, what a row was before it → what it is
   * after it; null: it is no more. They are called in order, for every migration after the `schema_version` of the export. A migration
   * without one needs none: a new column gets its default, and one that is no more is left out.
   */
  readonly upgrades?: Readonly<Record<number, (row: ExportedRow) => ExportedRow | null>>
}

/**
 * What is made of the rows of a table where an export of this very installation brings them back, under the ids that they had. A missing row comes
 * back as it was, and one that has changed since becomes what it was.
 */
export interface RestoreRule {
  /** Only where somebody names the table. */
  readonly isNamedOnly?: boolean
  /** Rows that are there stay as they are: what they say now follows from what happened since. */
  readonly isMissingOnly?: boolean
  /** Rows that the export does not have stay, whatever is asked for. */
  readonly keepsExtra?: boolean
  /** Columns that stay as they are in rows that are there. */
  readonly keeps?: readonly string[]
  /**
   * What missing rows say in columns that no export has, in the order of the rows; null: it cannot come back. Default: a row cannot where such a column
   * has no default. `ctx` is in a transaction of the tenant.
   */
  readonly missing?: (ctx: Ctx, rows: readonly ExportedRow[]) => Promise<(Record<string, unknown> | null)[]>
  /** Once the rows of all tables are there, in a transaction of the tenant: directories outside of it, and what is counted. May be called again. */
  readonly completed?: (ctx: Ctx) => Promise<void>
}

/**
 * A row as PostgreSQL wrote it as JSON. A number that is none of this language's (a large bigint, say) is an object that `JSON.stringify`
 * writes as it was.
 */
export type ExportedRow = Readonly<Record<string, unknown>>

/** What new values are made with. */
export interface ImportTools extends Pick<Ctx, 'secrets' | 'clock' | 'config' | 'registry'> {
  /** Whose account here the id in a row is: nobody's who could sign in, where the person was not linked to one. */
  hasAccount(userId: string): boolean
}

/** A plan of this installation. */
export interface ImportedPlan {
  code: string
  /** Whether a tenant may be given it. */
  isActive: boolean
}

/** A tenant all of whose rows are there. */
export interface ImportedTenant {
  /** Who is to own it; they are among its members. */
  ownerId: string
  /** Whether they own it at once: whoever runs the installation named them, and their address is proven. */
  isOwnerActive: boolean
  /** The code of its plan; null: what a new tenant gets. */
  plan: string | null
  /** Whether everybody is mailed their invitation, and not the owner alone. */
  invitesAll: boolean
  /** Says something to whoever runs the import. */
  note(text: string): void
}

/** By table. A table of which no module says anything is exported whole. */
export type ExportRules = Readonly<Record<string, ExportRule>>

/** The kernel's own tables. */
export const KERNEL_EXPORTS: ExportRules = {
  audit_logs: 'whole',
  tenant_jobs: { never: 'work under way in this installation' },
  idempotency_keys: { never: 'answers kept for a day for requests that come again' },
  inbound_messages: { never: 'which messages of other servers have come in' },
  events: { never: 'the feed of this installation; what happened stands in audit_logs' },
  event_heads: { never: 'the place in the feed of this installation' },
}
