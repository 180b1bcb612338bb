import type { Core } from './core.ts'

/** Something long-lived that is made once per core: a queue, a connection, a cache. Reached with `ctx.use(handle)`. */
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
 * A column of moments that are never far ahead: the end of a lockout, the next attempt. A clock that was wrong leaves some
 * that are; whatever waits for them would wait until then, so they become now.
 */
export interface FutureMoment {
  table: string
  column: string
  /** No right clock writes one further ahead than this. */
  aheadMs: number
}

/** A condition that `GET /health/ready` (when `ready`) and `tenantry doctor` look at. */
export interface HealthCheck {
  name: string
  ready: boolean
  /** Resolves to one sentence when all is well; throws an Error that says what is wrong and what to do. */
  check(core: Core): Promise<string>
}

/** One kind of thing that a module keeps sealed with `APP_SECRET`. `tenantry doctor` tries to open some of each. */
export interface SealedKind {
  /** Completes "… cannot be opened": `signing keys`. */
  name: string
  /** The newest and the oldest, say; none when there is nothing. */
  samples(core: Core): Promise<{ sealed: string; context: string }[]>
}
