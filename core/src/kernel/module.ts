import type { Static, TObject, TSchema } from 'typebox'
import type { Allowances, AnswerListener, Authenticator, GrantSource, StoreDirectory } from './access/slots.ts'
import type { FeatureSpec, LimitSpec, PermissionSpec } from './access/specs.ts'
import { namesStoreHeader, type StoreScope } from './access/store-scope.ts'
import type { Configuration } from './config/declared.ts'
import type { Ctx } from './context.ts'
import type { Core } from './core.ts'
import type { ErrorKind, FieldProblem } from './errors.ts'
import type { EventDefinition, Listener } from './events/define.ts'
import type { Answer } from './http/answer.ts'
import { operationNameOf } from './http/operation-names.ts'
import type { BodyForm, RawTypes, RouteInput } from './http/route-input.ts'
import { handsOutSecrets } from './http/secret-answers.ts'
import type { Job, Schedule } from './jobs/define.ts'
import type { MailDefinition, MailOverride, MailSenders, PostOffice } from './mails/define.ts'
import type { Unsubscribers } from './mails/unsubscribe.ts'
import type { NotificationChannel } from './notifications/channels.ts'
import type { NotificationDefinition, Notifier } from './notifications/define.ts'
import type { RateLimitSpec } from './rates/define.ts'
import type { Setting, SettingLevel, SettingsKeeper } from './settings/define.ts'
import type { Callers, Founder, FutureMoment, HealthCheck, Reach, Resource, SealedKind } from './specs.ts'

export * from './specs.ts'

/**
 * Who may call a route. Required, without default.
 * - `public`: no credential is asked for.
 * - `self`: any signed-in person, acting on what is their own.
 * - `superAdmin`: people who run the installation.
 * - `{ permission }`: whoever holds it for the whole tenant. With `store`, a grant for one store is enough:
 *   `'header'` the store of `X-Store-ID`, `'id'` the store that the path names in `:id`, `{ named, rows }` one that the
 *   request names elsewhere, and rows that the kernel narrows to the caller's stores; `{ shared }` what stands in no store.
 */
export type Access = 'public' | 'self' | 'superAdmin' | { readonly permission: string; readonly store?: StoreScope }

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

export type Responses = { readonly [status: number]: TSchema | null }

type SuccessOf<R extends Responses> = {
  // biome-ignore lint/suspicious/noConfusingVoidType: an answer without a body may come from an operation that returns nothing
  [S in keyof R]: R[S] extends TSchema ? Static<R[S]> : undefined | void
}[keyof R]

/** Content types that a route answers with, as they are sent (`text/csv; charset=utf-8`), and the schema of each. */
export type Produced = Readonly<Record<string, TSchema>>

/** The unvalidated fields of a body or query. */
export type Unchecked<B> = { readonly [name in keyof B]?: unknown }

type StaticOr<S, Otherwise> = S extends TSchema ? Static<S> : Otherwise

export interface RouteSpec<
  P extends TObject | undefined,
  Q extends TObject | undefined,
  B extends TSchema | undefined,
  R extends Responses,
  H extends TObject | undefined = undefined,
  C extends TObject | undefined = undefined,
  W extends RawTypes | undefined = undefined,
> {
  method: Method
  /** Under `/api/v1` unless `root` is set; parameters as `:id`. A parameter named `id` or `*_id` must be a UUID, else 404. */
  path: `/${string}`
  /** The path stands at the root of the server: probes, documents. */
  root?: boolean
  reach?: Reach
  /**
   * The operation name in the API document and in generated clients, as a verb and its object: `inviteUser`. Default:
   * derived from method and path (`listStores`, `getStore`, `createStore`, `closeStore`). It must be unique within a
   * core. Changing it breaks clients that use it.
   */
  name?: string
  /** One line for the API document: what the operation does. */
  summary: string
  description?: string
  access: Access
  /** Say `people` where the work needs a person, or a stolen key must not do it; API keys get 403 `scope_denied`. */
  callers?: Callers
  /**
   * The handler reads `ctx.storeId`, the store of `X-Store-ID`, which the API document then names among the parameters.
   * Default: true where `access` has `store: 'header'`. Other handlers that read it fail.
   */
  storeHeader?: boolean
  params?: P
  query?: Q
  /**
   * Headers that the handler gets as `input.headers`, by their names in lower case: texts, numbers or booleans. Others
   * are not looked at. One that is declared and sent more than once is refused. Not for credentials, nor for what the
   * kernel reads itself (`X-Store-ID`, `Idempotency-Key`).
   */
  headers?: H
  /**
   * Cookies that the handler gets as `input.cookies`, percent-decoded; others are not looked at. A request that changes
   * something and brings one of them must come from a page of ours (see `requireOwnPage`), and pages of `CORS_ORIGINS`
   * may call the route with credentials. `Closed({})`: it reads none, but its answer sets some.
   */
  cookies?: C
  body?: B
  /**
   * Formats of the body, chosen by content type; default `['json']`. Fields of a form are converted as those of a
   * query.
   */
  accepts?: readonly BodyForm[]
  /**
   * Takes the body as it is, up to `bodyLimit`, in any of these content types (`true`: in any): the handler gets its
   * bytes as `input.raw`. In place of `body`; for callbacks whose signature is made over the bytes.
   */
  raw?: W
  /** Maximum size of the body in bytes; default 128 KiB, at most 1 MiB. A larger one is 413. */
  bodyLimit?: number
  /**
   * Checks that a schema cannot express, reported in the same answer as other problems: a guessable password, an
   * unknown code. It also runs when the body does not fit its schema, so a field may be missing or of any type. Not for
   * checks that need the database; the operation must repeat the check.
   */
  check?: (body: Unchecked<StaticOr<B, never>>, core: Core) => Iterable<FieldProblem>
  /**
   * The same for the query, for example parameters that exclude each other. Its problems point to `query/…`
   * (`atQuery`).
   */
  checkQuery?: (query: Unchecked<StaticOr<Q, never>>, core: Core) => Iterable<FieldProblem>
  /** Success answers by status, the first for a plain value; `null`: no body. `304: null`: who has its `etag` gets that. */
  response: R
  /** Errors of the route in addition to those that follow from its declaration. */
  errors?: readonly ErrorKind[]
  /** A plan limit that one successful call consumes one of. */
  limit?: string
  /** A plan feature without which the route answers 402. */
  feature?: string
  /**
   * Rate limits (`rateLimits` of a module) that its requests count under, in addition to those that every route has.
   * `'auth'`, on a public route, stands in place of `public`: strict, for whatever proves who somebody is.
   */
  rateLimit?: string | readonly string[]
  /**
   * The route may write after the tenant's subscription has ended, for example to pay. Default: only routes without a
   * permission (`self`, `public`, `superAdmin`). Reading is always allowed.
   */
  whileInactive?: boolean
  /**
   * By default the handler runs in one transaction, which for a GET is read-only. `'manual'`: the kernel opens none,
   * and the handler uses `ctx.transaction`. For work that must not hold a transaction open: password hashing, uploads,
   * streams.
   */
  transaction?: 'manual'
  /**
   * The handler may open transactions of the system role, which sees all tenants, and must limit its answer itself.
   * Default: only routes of super admins; elsewhere `ctx.transaction` refuses that role.
   */
  acrossTenants?: boolean
  /**
   * The handler may open transactions in another tenant by `tenantId`, to create it or to enter it. The caller's rights
   * in their own tenant do not apply there. Public routes, which have no tenant, always may.
   */
  entersTenants?: boolean
  /** A POST that writes nothing, so no constraint can fail and the API document has no such 409. */
  onlyAsks?: boolean
  /**
   * Accepts `Idempotency-Key` (default: every POST and PATCH that needs a credential and returns no secret). An answer
   * with a secret (`secret: true` in its schema) is never kept, so such a route takes no key. Set false where the
   * effect depends on the session: keys belong to the person, and another session would get the answer of the first.
   */
  idempotent?: boolean
  /**
   * The route reads or changes the settings of this level: declared settings are added to its answer and to its body
   * (`SettingsPatch`). Without declared settings the route does not exist.
   */
  settings?: SettingLevel
  /** Where a created object lives; default for 201: the path itself and the object's id. */
  location?: (result: SuccessOf<R>) => string
  /** Kept out of the API document (pages for people). */
  hidden?: boolean
  /**
   * Content type of the answer when it isn't JSON; the handler then returns a string, or a `Readable` that is sent as it
   * comes (with `Streamed` as the schema; `transaction: 'manual'`, because it outlives the handler), or a function that
   * opens one: what must not happen under HEAD, such as recording that a file left, belongs into it. Several types,
   * each with what it looks like for the API document: the answer's own `content-type` header says which it is.
   */
  produces?: string | Produced
  handler: (
    ctx: Ctx,
    input: RouteInput<
      StaticOr<P, Record<string, string>>,
      StaticOr<Q, Record<string, never>>,
      StaticOr<B, undefined>,
      H,
      C,
      W
    >,
  ) => Promise<SuccessOf<R> | Answer<SuccessOf<R>>> | SuccessOf<R> | Answer<SuccessOf<R>>
}

/** A check of unvalidated fields, in addition to their schema. */
export type FieldCheck = (fields: Readonly<Record<string, unknown>>, core: Core) => Iterable<FieldProblem>

/** A route with its types erased, as the registry, the API document and the isolation kit read it. */
export interface Route {
  readonly method: Method
  readonly path: string
  readonly root: boolean
  readonly reach: Reach
  readonly name: string
  readonly summary: string
  readonly description: string | undefined
  readonly access: Access
  readonly callers: Callers
  readonly storeHeader: boolean
  readonly params: TObject | undefined
  readonly query: TObject | undefined
  readonly headers: TObject | undefined
  readonly cookies: TObject | undefined
  readonly body: TSchema | undefined
  readonly accepts: readonly BodyForm[]
  readonly raw: RawTypes | undefined
  readonly bodyLimit: number | undefined
  readonly check: FieldCheck | undefined
  readonly checkQuery: FieldCheck | undefined
  readonly response: Responses
  readonly errors: readonly ErrorKind[]
  readonly limit: string | undefined
  readonly feature: string | undefined
  readonly rateLimits: readonly string[]
  readonly whileInactive: boolean
  readonly transaction: 'managed' | 'manual'
  readonly acrossTenants: boolean
  readonly entersTenants: boolean
  readonly onlyAsks: boolean
  readonly idempotent: boolean
  readonly settings: SettingLevel | undefined
  readonly location: ((result: never) => string) | undefined
  readonly hidden: boolean
  readonly produces: string | Produced | undefined
  readonly handler: (ctx: Ctx, input: RouteInput<never, never, never, never, never, never>) => unknown
}

/** Methods that are not idempotent. */
const IS_REPEATED: readonly Method[] = ['POST', 'PATCH']

/** Declares a route. The types refuse a missing `access` and an answer of another shape than `response` says. */
export function defineRoute<
  const R extends Responses,
  P extends TObject | undefined = undefined,
  Q extends TObject | undefined = undefined,
  B extends TSchema | undefined = undefined,
  H extends TObject | undefined = undefined,
  C extends TObject | undefined = undefined,
  const W extends RawTypes | undefined = undefined,
>(spec: RouteSpec<P, Q, B, R, H, C, W>): Route {
  const route: Omit<Route, 'handler' | 'location'> = {
    method: spec.method,
    path: spec.path,
    root: spec.root ?? false,
    reach: spec.reach ?? 'public',
    name: spec.name ?? operationNameOf(spec),
    summary: spec.summary,
    description: spec.description,
    access: spec.access,
    callers: spec.callers ?? (spec.access === 'self' || spec.access === 'superAdmin' ? 'people' : 'all'),
    storeHeader: spec.storeHeader ?? namesStoreHeader(spec.access),
    params: spec.params,
    query: spec.query,
    headers: spec.headers,
    cookies: spec.cookies,
    body: spec.body,
    accepts: spec.accepts ?? ['json'],
    raw: spec.raw,
    bodyLimit: spec.bodyLimit,
    check: spec.check as FieldCheck | undefined, // the fields of the body by their names, each unknown
    checkQuery: spec.checkQuery as FieldCheck | undefined, // those of the query, as above
    response: spec.response,
    errors: spec.errors ?? [],
    limit: spec.limit,
    feature: spec.feature,
    rateLimits: [spec.rateLimit ?? []].flat(),
    whileInactive: spec.whileInactive ?? (spec.method === 'GET' || typeof spec.access === 'string'),
    transaction: spec.transaction ?? 'managed',
    acrossTenants: spec.acrossTenants ?? spec.access === 'superAdmin',
    entersTenants: spec.entersTenants ?? false,
    onlyAsks: spec.onlyAsks ?? false,
    idempotent:
      spec.idempotent ??
      (IS_REPEATED.includes(spec.method) && spec.access !== 'public' && !handsOutSecrets(spec.response)),
    settings: spec.settings,
    hidden: spec.hidden ?? false,
    produces: spec.produces,
  }
  // The handler's own types were checked against the schemas above; the registry calls it with what they validated.
  return Object.freeze({
    ...route,
    handler: spec.handler as Route['handler'],
    location: spec.location as Route['location'],
  })
}

/** Everything that a feature adds to a core. Built-in features and those of an application are values of this type. */
export interface Module {
  readonly name: string
  /** A sentence about the feature, shown above its operations in the API document. */
  readonly description: string | undefined
  readonly dependsOn: readonly Module[]
  readonly migrations: URL | undefined
  /** What the environment has to tell it; read with `ctx.config.of`. */
  // biome-ignore lint/suspicious/noExplicitAny: as the handles below
  readonly configuration: Configuration<any> | undefined
  readonly permissions: Readonly<Record<string, PermissionSpec>>
  readonly limits: Readonly<Record<string, LimitSpec>>
  readonly features: Readonly<Record<string, FeatureSpec>>
  /** By the names that its routes count under and that `RateLimit` headers show. */
  readonly rateLimits: Readonly<Record<string, RateLimitSpec>>
  readonly events: readonly EventDefinition[]
  readonly routes: readonly Route[]
  readonly jobs: readonly Job[]
  readonly schedules: readonly Schedule[]
  readonly listeners: readonly Listener[]
  /** Mails that the module sends, and other texts for those of others. */
  // biome-ignore lint/suspicious/noExplicitAny: a list of handles of different types; each is used through its own handle
  readonly mails: readonly (MailDefinition<any> | MailOverride<any>)[]
  // biome-ignore lint/suspicious/noExplicitAny: as the handles above
  readonly notifications: readonly NotificationDefinition<any>[]
  /** Ways to tell people besides the list in the application and mail. */
  readonly channels: readonly NotificationChannel[]
  /**
   * A folder with a file for each language (`en.json`, `de-CH.json`), in which texts of ICU MessageFormat stand under their
   * codes; English has all. A later module's texts replace those of an earlier one and add languages to them.
   */
  readonly messages: URL | undefined
  // biome-ignore lint/suspicious/noExplicitAny: a list of handles of different types; each is used through its own handle
  readonly resources: readonly Resource<any>[]
  // biome-ignore lint/suspicious/noExplicitAny: as the handles above
  readonly settings: readonly Setting<any>[]
  readonly checks: readonly HealthCheck[]
  readonly sealed: readonly SealedKind[]
  /** Checked each minute across all tenants: a table that grows without limit needs an index on the column. */
  readonly moments: readonly FutureMoment[]
  readonly authenticators: readonly Authenticator[]
  readonly grants: readonly GrantSource[]
  readonly allowances: Allowances | undefined
  readonly answered: AnswerListener | undefined
  readonly stores: StoreDirectory | undefined
  /** Where the settings of a level are. */
  readonly settingsOf: Readonly<Partial<Record<SettingLevel, SettingsKeeper>>>
  readonly postOffice: PostOffice | undefined
  readonly unsubscribers: Unsubscribers | undefined
  readonly notifier: Notifier | undefined
  readonly senders: MailSenders | undefined
  /** Called before the core serves; throws an Error with advice when it must not. */
  readonly mayServe: ((core: Core) => Promise<void>) | undefined
  /**
   * Problems with declarations of any module that only this one can detect: roles know the roles, subscriptions the
   * plans. One sentence each, naming the declaration and its module; any problem prevents the start.
   */
  readonly declarationProblems: ((core: Core) => readonly string[] | Promise<readonly string[]>) | undefined
  /** Lines for the screen that a start prints, name and text: a secret shown once, an address worth knowing. */
  readonly welcome: ((core: Core) => Promise<[string, string][]>) | undefined
  /** Adds what a new tenant needs of this module, in the transaction that creates it, in the order of the modules. */
  readonly founding: ((ctx: Ctx, founder: Founder) => Promise<void>) | undefined
  /**
   * What tests are told of the module, a `Cases` of `tenantry/testing`: how its routes are made to succeed, and rows of
   * tables that no route fills. Written as `() => import('./articles.cases.ts')`: whatever serves or works never loads it.
   */
  readonly cases: (() => Promise<{ default: object }>) | undefined
}

export type ModuleSpec = { name: string } & Partial<
  Omit<Module, 'name' | 'permissions'> & { permissions: Record<string, string | PermissionSpec> }
>

/** Declares a module; everything but its name is optional. */
export function defineModule(spec: ModuleSpec): Module {
  const permissions = Object.entries(spec.permissions ?? {}).map(([code, value]) => [
    code,
    typeof value === 'string' ? { description: value } : value,
  ])
  return Object.freeze({
    description: undefined,
    dependsOn: [],
    migrations: undefined,
    configuration: undefined,
    limits: {},
    features: {},
    rateLimits: {},
    events: [],
    routes: [],
    jobs: [],
    schedules: [],
    listeners: [],
    mails: [],
    notifications: [],
    channels: [],
    messages: undefined,
    resources: [],
    settings: [],
    checks: [],
    sealed: [],
    moments: [],
    authenticators: [],
    grants: [],
    allowances: undefined,
    answered: undefined,
    stores: undefined,
    settingsOf: {},
    postOffice: undefined,
    senders: undefined,
    unsubscribers: undefined,
    notifier: undefined,
    founding: undefined,
    mayServe: undefined,
    welcome: undefined,
    declarationProblems: undefined,
    cases: undefined,
    ...spec,
    permissions: Object.fromEntries(permissions) as Record<string, PermissionSpec>, // built from the entries just above
  })
}
