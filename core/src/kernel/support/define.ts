import type { Static, TObject } from 'typebox'
import type { PartialOperatorRole } from '../access/operators.ts'
import type { Ctx } from '../context.ts'

/** What operators ask about: an address, and what is known of it. */
export interface SupportSubject {
  /** In the form in which addresses are stored and compared. */
  readonly email: string
  /** The person who has it, invited ones too; null: nobody. */
  readonly userId: string | null
  /** The tenants to look at, so many at most: those that the person belongs to or is invited to, or the one that is asked about. */
  readonly tenantIds: readonly string[]
  /** The one tenant that is asked about, which is the context's too; null: all of them. */
  readonly tenantId: string | null
  /** A store of that tenant that is asked about. */
  readonly storeId: string | null
  /** A permission that is asked about, in that tenant. */
  readonly permission: string | null
}

/** `high`: keeps somebody from what they want; `medium`: may do so; `low`: worth knowing. */
export const SUPPORT_SEVERITIES = ['high', 'medium', 'low'] as const // the words are the type
export type SupportSeverity = (typeof SUPPORT_SEVERITIES)[number]

/** A cause that tickets have. */
export interface SupportCause {
  readonly severity: SupportSeverity
  /** From 0 to 100: of several causes of one severity, the likelier comes first. */
  readonly likelihood: number
  /** What to do about it, in a sentence or two for people. */
  readonly do: string
}

/** A cause that was found. */
export interface SupportFinding<Code extends string = string> {
  readonly code: Code
  readonly tenantId: string | null
  /** What was found, in a sentence without a link, a secret or anything that the tenant keeps. */
  readonly what: string
  /** Where it weighs otherwise than its cause says. */
  readonly severity?: SupportSeverity
  /** When it happened: of the same causes the newest comes first. Default: long ago. */
  readonly at?: string | null
}

export interface SupportAnswer<Shown, Code extends string = string> {
  readonly shown: Shown
  readonly findings: readonly SupportFinding<Code>[]
  /** There is more than what is shown. */
  readonly leftOut?: boolean
}

export interface SupportSpec<S extends TObject, Code extends string> {
  /** The name of the section: a snake_case word. */
  name: string
  /** What it is about, in a few words, for the API document. */
  description: string
  /** The roles of operators that see it and what it finds, beside `all`: those that read the same elsewhere under `/admin`. */
  roles: readonly PartialOperatorRole[]
  /** What the section shows: no payloads, secrets, links, or texts of mails. */
  schema: S
  /** The causes that it may find, by their codes, which no other section has. */
  causes: Readonly<Record<Code, SupportCause>>
  /**
   * Reads in a transaction of the system role that only reads, in as many statements however many tenants there are, and no more
   * rows than it shows. What takes longer than two seconds, or throws, is left out of the answer.
   */
  read(ctx: Ctx, subject: SupportSubject): Promise<SupportAnswer<Static<S>, Code>>
}

/** A section of what `GET /admin/support` answers. */
export interface SupportSection {
  readonly name: string
  readonly description: string
  readonly roles: readonly PartialOperatorRole[]
  readonly schema: TObject
  readonly causes: Readonly<Record<string, SupportCause>>
  read(ctx: Ctx, subject: SupportSubject): Promise<SupportAnswer<object>>
}

/** Declares what a module has to say about an address that operators ask about; list it in the module's `support`. */
export function defineSupport<S extends TObject, Code extends string>(spec: SupportSpec<S, Code>): SupportSection {
  const read: SupportSection['read'] = async (ctx, subject) => (await spec.read(ctx, subject)) as SupportAnswer<object> // an object by its schema
  return Object.freeze({ ...spec, read })
}

/** How many rows a list of a section shows at most. */
export const SUPPORT_SHOWN = 10

/** Of one row more than is shown, those that are shown, and whether that leaves any out. */
export function shownOf<T>(rows: readonly T[], most = SUPPORT_SHOWN): { rows: T[]; leftOut: boolean } {
  return { rows: rows.slice(0, most), leftOut: rows.length > most }
}
