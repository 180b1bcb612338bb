import type { FastifyBaseLogger } from 'fastify'
import type { Expression, SqlBool } from 'kysely'
import type { Static, TObject } from 'typebox'
import type { PartialOperatorRole } from './access/operators.ts'
import type { Actor, Grant, Principal } from './access/slots.ts'
import type { Forget } from './access/standing.ts'
import type { Clock } from './clock.ts'
import type { Config } from './config/config.ts'
import type { Tx } from './db/tables.ts'
import type { EventContent, EventDefinition } from './events/define.ts'
import type { EnqueueOptions, Job } from './jobs/define.ts'
import type { Letter, MailDefinition } from './mails/define.ts'
import type { Resource } from './module.ts'
import type { Notice, NotificationDefinition } from './notices/define.ts'
import type { Outbound } from './outbound/outbound.ts'
import type { Product } from './product.ts'
import type { Registry } from './registry.ts'
import type { Scanner } from './scanning/scanner.ts'
import type { SecretBox } from './secrets.ts'
import type { Setting } from './settings/define.ts'
import type { FileStorage, Storages } from './storage/storage.ts'

/** Where a request came from, as records keep it. */
export interface Origin {
  requestId: string | null
  ipAddress: string | null
  userAgent: string | null
  /** `Accept-Language` as it was sent: what a page for people is written in. */
  acceptLanguage?: string | null
  /** `Origin` and `Sec-Fetch-Site`: which page made a browser send it. Null where a browser says nothing, or none did. */
  page?: { readonly origin: string | null; readonly fetchSite: string | null }
}

/** The page of a list that a request asks for; see `page`. */
export interface ListRequest {
  limit: number
  cursor: string | null
  /** Route, tenant and filters: a cursor is good for these alone. */
  fingerprint: string
}

export interface TransactionOptions {
  /**
   * The tenant to scope it to; default: the context's own. `null`: none, global tables only. Another one takes a route that
   * says `entersTenants`, a public one, or a job: what the caller may do in their own counts for nothing there.
   */
  tenantId?: string | null
  /**
   * `system`: a role that sees all tenants; for sweeps, jobs and operator's routes. Any other route that needs it says
   * `acrossTenants`. Default `app`.
   */
  role?: 'app' | 'system'
  /** Only reads: cheaper, and a write is refused. */
  readOnly?: boolean
}

/** Everything a handler, job or listener may use; passed first to every operation. */
export interface Ctx {
  /** The tenant; throws 403 `tenant_required` when the credential carries none. */
  readonly tenantId: string
  /** The tenant, or null. */
  readonly tenant: string | null
  /** The store of `X-Store-ID`, already checked; or null. For routes that say that they read it (`storeHeader`). */
  readonly storeId: string | null
  /** The same, whatever the route says: what records of this request name as their store. Not for deciding anything. */
  readonly recordedStoreId: string | null
  readonly actor: Actor
  /** The signed-in person; throws 401 when there is none. */
  readonly userId: string
  readonly principal: Principal | null
  /** Permissions that the credential is limited to; null: all that its person holds. */
  readonly scopes: readonly string[] | null
  /** The open transaction. In a `manual` route it throws outside of `ctx.transaction`. */
  readonly tx: Tx
  readonly clock: Clock
  readonly log: FastifyBaseLogger
  readonly config: Config
  /** What the application calls itself. */
  readonly product: Product
  /** What the modules of this core declare. */
  readonly registry: Registry
  /** Seals and opens what stands in the database as a secret. */
  readonly secrets: SecretBox
  /** Where new files go. */
  readonly storage: FileStorage
  /** Looks for malware in uploads; null: nothing does. Never within an open transaction. */
  readonly scanner: Scanner | null
  /** All storages that the settings describe: a file stays in the one that it was written to. */
  readonly storages: Storages
  /** Requests to addresses that a user gave; never within an open transaction. */
  readonly outbound: Outbound
  readonly origin: Origin
  readonly list: ListRequest
  /**
   * Aborted as soon as nobody is there to get the body of the answer: the client has gone, or has asked by HEAD. For a request
   * that waits for something to happen. Outside of requests it never is.
   */
  readonly unawaited: AbortSignal

  /** Records what happened, in this transaction; listeners follow after commit. */
  emit<D extends TObject>(event: EventDefinition<D>, content: EventContent<Static<D>>): Promise<void>
  /** Adds a job in this transaction; it runs after commit. */
  enqueue<P extends TObject>(job: Job<P>, payload: Static<P>, options?: EnqueueOptions): Promise<void>
  /**
   * Mails a person after commit, and never when this transaction is rolled back. Retried for a day. The mail's id; null
   * when nothing is sent: a mail of this kind went to this address a moment ago, or none goes from here (`MAIL=off`; see
   * `requireMail`).
   */
  mail<D extends TObject>(mail: MailDefinition<D>, letter: Letter<Static<D>>): Promise<string | null>

  /**
   * Tells people after commit, and never when this transaction is rolled back: each at most once. They find it in the
   * application, in their mail and wherever else their preferences say.
   */
  notify<T>(kind: NotificationDefinition<T>, notice: Notice<T>): Promise<void>

  /**
   * What is in force of a setting, in one query of this transaction: of the context's own tenant, store (`X-Store-ID`) or
   * person, or of the one named. Throws 404 where there is no such store, or no such person in the tenant.
   */
  setting<T>(setting: Setting<T>, id?: string): Promise<T>
  /**
   * Runs `work` in a transaction of its own, committed when it returns. For `manual` routes and jobs; inside a managed
   * one it throws, because two transactions of one request cannot be one fact.
   */
  transaction<T>(work: (ctx: Ctx) => Promise<T>, options?: TransactionOptions): Promise<T>
  /**
   * Runs `work` in a transaction that only reads, and sees the tenant as it was at one moment for as long as it takes, on a
   * connection of its own: for jobs that read much, a part at a time. While it is open PostgreSQL tidies up nothing that
   * changed since, so it ends as soon as everything is read.
   */
  snapshot<T>(work: (ctx: Ctx) => Promise<T>): Promise<T>
  /**
   * The same caller with what they may do now. Throws what a new request with the same credential would be answered: its
   * session has ended, say. For what takes long before it is done, or goes on after the answer has begun, which
   * `core.standings.watch` tells when to ask; outside of transactions. It costs nothing while nothing changed.
   */
  proveAgain(): Promise<Ctx>
  /** Throws away what every process remembers of these, null: of everybody, when this transaction commits. */
  forget(what: Forget | null): Promise<void>
  /** Runs after a successful commit, never when the transaction is rolled back. In memory: not for work that must not be lost. */
  afterCommit(work: () => void): void

  /** True when the caller holds the permission for the whole tenant, or for that store when one is given. */
  can(permission: string, storeId?: string | null): boolean
  /** Throws 403 `permission_denied` unless `can`. */
  require(permission: string, storeId?: string | null): void
  /** Stores in which the caller holds the permission; null: all of the tenant's. */
  storesWith(permission: string): string[] | null
  /** The stores that this request counts for: its route says where they stand. Null: all of the tenant's. */
  readonly stores: readonly string[] | null
  /** The query, narrowed to rows in `stores` as the route's `rows` says; `page` does it by itself. */
  narrow<Q extends { where(condition: Expression<SqlBool>): Q }>(query: Q): Q
  /** Throws 404 unless a row of that store is among those that this request counts for. Null: a row of no store. */
  requireStore(storeId: string | null): void
  readonly grants: readonly Grant[]
  readonly superAdmin: boolean
  /** Throws 403 `permission_denied` unless the caller runs the installation in this role, or as a super admin. */
  requireOperator(role: PartialOperatorRole): void
  /** A module's long-lived object. */
  use<T>(resource: Resource<T>): T
  /** This context acting as somebody else: a sign-in names the person it has just proven. */
  as(actor: Actor): Ctx
}
