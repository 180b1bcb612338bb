import type { Static, TObject, TSchema } from 'typebox'
import { defaultImpersonation, type Impersonation } from './access/impersonation.ts'
import { operatorRolesOf, type PartialOperatorRole } from './access/operators.ts'
import { namesStoreHeader, type StoreScope } from './access/store-scope.ts'
import type { Ctx } from './context.ts'
import type { Core } from './core.ts'
import type { ErrorKind, FieldProblem } from './errors.ts'
import type { Answer } from './http/answer.ts'
import { isSafe } from './http/methods.ts'
import { operationNameOf } from './http/operation-names.ts'
import type { BodyForm, RawTypes, RouteInput } from './http/route-input.ts'
import { handsOutSecrets } from './http/secret-answers.ts'
import type { SettingLevel } from './settings/define.ts'
import type { Callers, Reach } from './specs.ts'

/**
 * Who may call a route. Required, without default.
 * - `public`: no credential is asked for.
 * - `self`: any signed-in person, acting on what is their own.
 * - `superAdmin`: people who run the installation and may everything there.
 * - `{ operator }`: people who run the installation, by what they are there for; super admins in any case.
 * - `{ permission }`: whoever holds it for the whole tenant. With `store`, a grant for one store is enough:
 *   `'header'` the store of `X-Store-ID`, `'id'` the store that the path names in `:id`, `{ named, rows }` one that the
 *   request names elsewhere, and rows that the kernel narrows to the caller's stores; `{ shared }` what stands in no store.
 */
export type Access =
  | 'public'
  | 'self'
  | 'superAdmin'
  | { readonly operator: readonly PartialOperatorRole[] }
  | { readonly permission: string; readonly store?: StoreScope }

/**
 * A HEAD is answered by the GET of its path. `OPTIONS` is for protocols that ask by it what a server can do; a preflight of a
 * page is answered by the kernel, whether the path has such a route or not.
 */
export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS'

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
  S extends RawTypes | undefined = undefined,
  F extends TObject | undefined = undefined,
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
  /** Headers of every answer, refusals included, by their names in lower case: the version of a protocol, say. */
  standing?: Readonly<Record<string, string>>
  /** Names of headers that the handler sets and that pages of `CORS_ORIGINS` may read; those of `standing` they may anyway. */
  exposes?: readonly string[]
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
  /**
   * Takes the body as it arrives, of any size, in any of these content types (`true`: in any): the handler reads
   * `input.stream` and bounds its size itself. Only manual routes; in place of `body`.
   */
  stream?: S
  /**
   * Takes `multipart/form-data`: one file named `file`, and these fields before or after it. The handler reads `input.form`
   * and bounds the size of the file itself. Only manual routes; in place of `body`.
   */
  form?: F
  /** Maximum size of the body in bytes; default 128 KiB, at most 1 MiB. A larger one is 413. */
  bodyLimit?: number
  /**
   * Checks that a schema cannot express, reported in the same answer as other problems: a guessable password, an
   * unknown code. It also runs when the body does not fit its schema, so a field may be missing or of any type. Not for
   * checks that need the database; the operation must repeat the check.
   */
  check?: (body: Unchecked<StaticOr<B, StaticOr<F, never>>>, core: Core) => Iterable<FieldProblem>
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
   * On a public route `'auth'`, `'media'` and `'inbound'` stand in place of `public`: the first strict, for whatever proves
   * who somebody is, the others generous, for pictures that a page shows by the dozen, and for servers that send bursts.
   */
  rateLimit?: string | readonly string[]
  /**
   * The route may write after the tenant's subscription has ended, for example to pay. Default: only routes without a
   * permission (`self`, `public`, those of operators). Reading is always allowed.
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
   * Default: only routes of operators; elsewhere `ctx.transaction` refuses that role.
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
   * What of it is for operators who act as somebody else. Default: `reads` where it changes nothing; `refused` where it
   * hands out a secret, reaches other tenants, or changes something and is for people alone (`callers`) or public; else `writes`. Say
   * `refused` where it changes who may get in, or takes much of a tenant away at once.
   */
  impersonation?: Impersonation
  /**
   * Accepts `Idempotency-Key` (default: every POST and PATCH that needs a credential, reads no `stream` and returns no secret). An answer
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
   * each with what it looks like for the API document: the answer's own `content-type` header says which it is, and so it
   * does for `*\/*`.
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
      W,
      S,
      F
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
  readonly standing: Readonly<Record<string, string>>
  readonly exposes: readonly string[]
  readonly cookies: TObject | undefined
  readonly body: TSchema | undefined
  readonly accepts: readonly BodyForm[]
  readonly raw: RawTypes | undefined
  readonly stream: RawTypes | undefined
  readonly form: TObject | undefined
  /** The handler gets `input.envelope`, and no query is refused: for inbound webhooks, whose verifiers know what is signed. */
  readonly envelope: boolean
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
  readonly impersonation: Impersonation
  readonly idempotent: boolean
  readonly settings: SettingLevel | undefined
  readonly location: ((result: never) => string) | undefined
  readonly hidden: boolean
  readonly produces: string | Produced | undefined
  readonly handler: (ctx: Ctx, input: RouteInput<never, never, never, never, never, never, never, never>) => unknown
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
  const S extends RawTypes | undefined = undefined,
  F extends TObject | undefined = undefined,
>(spec: RouteSpec<P, Q, B, R, H, C, W, S, F>): Route {
  const isOperators = operatorRolesOf(spec.access) !== null
  const route: Omit<Route, 'handler' | 'location' | 'impersonation'> = {
    method: spec.method,
    path: spec.path,
    root: spec.root ?? false,
    reach: spec.reach ?? 'public',
    name: spec.name ?? operationNameOf(spec),
    summary: spec.summary,
    description: spec.description,
    access: spec.access,
    callers: spec.callers ?? (spec.access === 'self' || isOperators ? 'people' : 'all'),
    storeHeader: spec.storeHeader ?? namesStoreHeader(spec.access),
    params: spec.params,
    query: spec.query,
    headers: spec.headers,
    standing: spec.standing ?? {},
    exposes: spec.exposes ?? [],
    cookies: spec.cookies,
    body: spec.body,
    accepts: spec.accepts ?? ['json'],
    raw: spec.raw,
    stream: spec.stream,
    form: spec.form,
    envelope: false,
    bodyLimit: spec.bodyLimit,
    check: spec.check as FieldCheck | undefined, // the fields of the body by their names, each unknown
    checkQuery: spec.checkQuery as FieldCheck | undefined, // those of the query, as above
    response: spec.response,
    errors: spec.errors ?? [],
    limit: spec.limit,
    feature: spec.feature,
    rateLimits: [spec.rateLimit ?? []].flat(),
    whileInactive: spec.whileInactive ?? (isSafe(spec.method) || typeof spec.access === 'string' || isOperators),
    transaction: spec.transaction ?? 'managed',
    acrossTenants: spec.acrossTenants ?? isOperators,
    entersTenants: spec.entersTenants ?? false,
    onlyAsks: spec.onlyAsks ?? false,
    idempotent:
      spec.idempotent ??
      (IS_REPEATED.includes(spec.method) &&
        spec.access !== 'public' &&
        spec.stream === undefined &&
        !handsOutSecrets(spec.response)),
    settings: spec.settings,
    hidden: spec.hidden ?? false,
    produces: spec.produces,
  }
  // The handler's own types were checked against the schemas above; the registry calls it with what they validated.
  return Object.freeze({
    ...route,
    impersonation: spec.impersonation ?? defaultImpersonation(route),
    handler: spec.handler as Route['handler'],
    location: spec.location as Route['location'],
  })
}
