import type { Ctx } from '../context.ts'
import type { Core } from '../core.ts'
import type { Tx } from '../db/tables.ts'
import type { ErrorKind } from '../errors.ts'

/** Who acts, as the audit record names them. */
export interface Actor {
  type: 'user' | 'api_key' | 'system' | 'admin'
  id: string | null
  /** The name at the time, so that a record stays readable when the actor is gone. */
  label: string
  impersonatorId: string | null
}

/** A credential that proved itself: what it says, before the database was asked what it is still worth. */
export interface Principal {
  /** Where its standing is cached: one per credential and tenant, e.g. `session:<id>:<tenant>`. */
  key: string
  tenantId: string | null
  userId: string | null
  sessionId: string | null
  actor: Actor
}

/** What the database says of a principal now. */
export interface Standing {
  /** The actor with its current label. */
  actor: Actor
  superAdmin: boolean
  /** Permission codes that the credential is narrowed to; null = all that its person holds. */
  scopes: readonly string[] | null
}

/** *Who is calling?* Auth brings sessions, an application may bring its own. */
export interface Authenticator {
  name: string
  /** True when the credential looks like one of this kind; no look-up. */
  matches(credential: string): boolean
  /** Its credentials are API keys, which `X-API-Key` carries too. */
  takesKeys?: boolean
  /** Proves the credential by itself (signature, checksum). Throws a 401 AppError. */
  identify(core: Core, credential: string): Principal | Promise<Principal>
  /**
   * Asks the database what the principal is worth; called when no valid cached answer exists, inside a transaction
   * scoped to the principal's tenant. Throws a 401 or 403 AppError.
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

/** *How much may this tenant have?* Without a module that fills this slot, everything is unlimited and writable. */
export interface Allowances {
  /**
   * Called after work consumed `amount` (default 1) of a limit, inside its transaction: throws 402 `plan_limit_reached`
   * when that was too many.
   */
  consumed(ctx: Ctx, limit: string, amount?: number): Promise<void>
  /** Gives back what was consumed of a limit that counts by period; what is counted by its rows frees itself. */
  released?(ctx: Ctx, limit: string, amount?: number): Promise<void>
  /** True when the tenant's plan has the feature. */
  hasFeature(ctx: Ctx, feature: string): Promise<boolean>
  /**
   * Throws 402 `subscription_inactive` when the tenant may only read. Runs beside the work of every writing route but
   * those that say `whileInactive`; `limit`: what the route is going to consume, so that both are looked up at once.
   */
  requireWritable?(ctx: Ctx, limit?: string): Promise<void>
  /** How many more of a limit the tenant may have; null: any number. */
  remaining?(ctx: Ctx, limit: string): Promise<number | null>
}

/** Whether a store of the tenant exists and is active: what `X-Store-ID` is checked against. */
export type StoreDirectory = (tx: Tx, tenantId: string, storeId: string) => Promise<boolean>
