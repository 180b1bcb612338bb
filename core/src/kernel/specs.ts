import type { Core } from './core.ts'

/**
 * Who may call a route that needs a credential: `people` alone, or `all`, API keys included. Default: `people` for `self`
 * and for operators, `all` where a permission decides.
 */
export type Callers = 'people' | 'all'

/** A long-lived object, created once per core: a queue, a connection, a cache. Reached with `ctx.use(handle)`. */
export interface Resource<T> {
  readonly name: string
  create(core: Core): T | Promise<T>
  /** Awaited before the core serves or works, on a schema that is current: what must be known before the first request. */
  prepare?(value: T, core: Core): Promise<void>
  close?(value: T): Promise<void> | void
}

/** Declares a resource; list it in the module's `resources`. */
export function defineResource<T>(resource: Resource<T>): Resource<T> {
  return Object.freeze(resource)
}

/**
 * A column of times that are never far in the future: the end of a lockout, the next attempt. A wrong clock may store
 * later ones, for which everything would wait; such times are set to now.
 */
export interface FutureMoment {
  table: string
  column: string
  /** The furthest a correct clock can set the time ahead. */
  aheadMs: number
}

/** A condition checked by `GET /health/ready` (when `ready`) and `tenantry doctor`. */
export interface HealthCheck {
  name: string
  ready: boolean
  /** Resolves to one sentence when all is well; throws an Error that says what is wrong and what to do. */
  check(core: Core): Promise<string>
}

/**
 * A kind of value that a module stores encrypted with `APP_SECRET`. `tenantry doctor` tries to decrypt some of each.
 */
export interface SealedKind {
  /** Completes "… cannot be opened": `signing keys`. */
  name: string
  /** Some values, for example the newest and oldest; empty when there are none. */
  samples(core: Core): Promise<{ sealed: string; context: string }[]>
}

/**
 * On which port a route stands, and for whom.
 * - `public` (default): for everybody, on the port of the API.
 * - `probe`: there, and on `WORKER_PORT`.
 * - `metrics`: on `WORKER_PORT`, and with `METRICS_PUBLIC` on the port of the API.
 * - `documents`: on the port of the API with `API_DOCS_PUBLIC`.
 * - `machine`: on the port of the API, for programs of this very machine alone.
 */
export type Reach = 'public' | 'probe' | 'metrics' | 'documents' | 'machine'

/** The person who founds a tenant and becomes its owner. */
export interface Founder {
  userId: string
  name: string
}
