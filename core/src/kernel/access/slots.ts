import type { Ctx } from '../context.ts'
import type { Core } from '../core.ts'
import type { Tx } from '../db/tables.ts'
import type { ErrorKind } from '../errors.ts'
import type { PartialOperatorRole } from './operators.ts'

/** Who acts, as the audit record names them. */
export interface Actor {
  type: 'user' | 'api_key' | 'system' | 'admin'
  id: string | null
  /** The name at the time, so that a record stays readable when the actor is gone. */
  label: string
  impersonatorId: string | null
}

/** A verified credential: its own claims, before the database is asked whether it is still valid. */
export interface Principal {
  /** The cache key of its standing: one per credential and tenant, e.g. `session:<id>:<tenant>`. */
  key: string
  tenantId: string | null
  userId: string | null
  sessionId: string | null
  /** The API key, for a credential that is one. It belongs to its tenant: `userId` is null then. */
  apiKeyId?: string
  /** A person on whose rights it rests, without being them: who made an API key, or acts as somebody else. */
  createdBy?: string | null
  /** The session that it was begun from and ends with. */
  begunIn?: string | null
  /** When the credential itself ends, in milliseconds since the epoch, where it says so: what outlives its request ends by then. */
  endsAtMs?: number | null
  actor: Actor
}

/** The current state of a principal in the database. */
export interface Standing {
  /** The actor with its current label. */
  actor: Actor
  superAdmin: boolean
  /** What else they may do who run the installation; default: nothing. */
  operatorRoles?: readonly PartialOperatorRole[]
  /** Permissions that the credential is limited to; null: all that its person holds. */
  scopes: readonly string[] | null
  /** How many requests a minute the credential may send, where that is its own; default: what its kind may. */
  requestsPerMinute?: number | null
  /** Networks in CIDR notation that the credential may be used from; default: any. */
  networks?: readonly string[] | null
  /** When it ends by itself, if ever: it is not remembered beyond. */
  endsAt?: string | null
  /** Of an operator who acts as somebody else (`actor.impersonatorId`): only to look; default: also to write. */
  readOnly?: boolean
}

/** *Who is calling?* Auth brings sessions, an application may bring its own. */
export interface Authenticator {
  name: string
  /** True when the credential looks like one of this kind; no look-up. */
  matches(credential: string): boolean
  /** Its credentials are API keys, which `X-API-Key` carries too. */
  takesKeys?: boolean
  /** Its credentials may be those of an operator who acts as somebody else. */
  impersonates?: boolean
  /** Verifies the credential without the database (signature, checksum). Throws a 401 AppError. */
  identify(core: Core, credential: string): Principal | Promise<Principal>
  /**
   * Reads the current state of the principal; called when none is cached, in a transaction of the principal's tenant.
   * Throws a 401 or 403 AppError.
   */
  standing(tx: Tx, principal: Principal, core: Core): Promise<Standing>
  /** The errors that `identify` and `standing` throw, for the API document. */
  errors?: readonly ErrorKind[]
}

/** Permissions held for the whole tenant (`storeId` null) or for one store. */
export interface Grant {
  permissions: readonly string[]
  storeId: string | null
  roleId: string
  role: string
}

/** *What may they do?* Roles answers it. Called under the same conditions as `standing`. */
export type GrantSource = (tx: Tx, principal: Principal, core: Core) => Promise<Grant[]>

/** What a tenant's plan allows and how much is in use, read at once. */
export interface PlanOverview {
  /** False: the tenant may only read, except by routes with `whileInactive`. */
  writable: boolean
  /** Names of the declared features that the plan has. */
  features: readonly string[]
  /** Every declared limit by its name; `max` null: any number. */
  limits: Readonly<Record<string, { used: number; max: number | null }>>
}

/** *How much may this tenant have?* Without a module that fills this slot, everything is unlimited and writable. */
export interface Allowances {
  /**
   * Called after work consumed `amount` (default 1) of a limit, inside its transaction: throws 402 `plan_limit_reached`
   * when that was too many.
   */
  consumed(ctx: Ctx, limit: string, amount?: number): Promise<void>
  /** Returns consumption of a limit that is held in amounts or counted by period; a limit that counts rows needs no call. */
  released?(ctx: Ctx, limit: string, amount?: number): Promise<void>
  /** Counts anew how much of a limit that is held in amounts is in use, while nobody consumes or releases any. */
  recounted?(ctx: Ctx, limit: string, count: () => Promise<number>): Promise<void>
  /** True when the tenant's plan has the feature. */
  hasFeature(ctx: Ctx, feature: string): Promise<boolean>
  /**
   * Throws 402 `subscription_inactive` when the tenant may only read. Runs in parallel to the work of each writing
   * route except those with `whileInactive`. `limit`: the limit that the route will consume, so that both are read at
   * once.
   */
  requireWritable?(ctx: Ctx, limit?: string): Promise<void>
  /** All of the above as it stands now, for showing it; nothing is locked or consumed. */
  overview(ctx: Ctx): Promise<PlanOverview>
  /**
   * The figures of the tenant for limits `per: 'minute'`. Read with the standing and kept as long, so a change of them
   * calls `ctx.forget({ tenantId })`, or `ctx.forget(null)` where it is one of many tenants.
   */
  perMinute?(ctx: Ctx): Promise<PerMinute>
}

/** How many requests a tenant may send in a minute. */
export interface PerMinute {
  /** By the name of the limit; null: any number. */
  figures: Readonly<Record<string, number | null>>
  /** When time alone changes them: they are not remembered beyond. Null: never. */
  until: string | null
}

/** What an operator holds a tenant to, beside its plan. */
export interface Throttle {
  /** Most requests in a minute. Its jobs run one at a time meanwhile. */
  requestsPerMinute: number
  /** When it ends by itself; null: when somebody ends it. */
  until: string | null
}

/**
 * *Who is held back?* The throttle of the transaction's tenant, also one that is over; null: there was none. A change of it calls
 * `ctx.forget({ tenantId })`.
 */
export type ThrottleSource = (tx: Tx, tenantId: string) => Promise<Throttle | null>

/** A request that was answered. */
export interface AnsweredRequest {
  /** Null: nobody in particular, or somebody who was refused. */
  principal: Principal | null
  status: number
  /** The client's, as far as it can be trusted. */
  address: string | null
  /** The `email` of the body, where a rate limit that counts by account refused the request with 429; else null. */
  limitedAccount: string | null
}

/**
 * *Who was answered what?* Told of every answer once it is sent. Nobody waits for it, so it only notes things in memory.
 */
export type AnswerListener = (core: Core, answered: AnsweredRequest) => void

/** Whether a store of the tenant exists and is active: what `X-Store-ID` is checked against. */
export type StoreDirectory = (tx: Tx, tenantId: string, storeId: string) => Promise<boolean>
