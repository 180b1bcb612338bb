import type { Tx } from '../db/tables.ts'

/**
 * What a module holds of tenants in a table that belongs to none: found by the columns that name the tenant, and gone when the
 * tenant is removed for good, or kept for a reason. A tenant's own tables need no word: all their rows go.
 */
export type Holding = RemovedHolding | KeptHolding

interface NamesTenants {
  /** The global table. */
  readonly table: string
  /** Its columns that name tenants. */
  readonly columns: readonly string[]
}

export interface RemovedHolding extends NamesTenants {
  /**
   * Removes what names the tenant, so much of it at most, or takes the name away; gives how many rows that were, fewer than `most`
   * once there are no more. In a transaction of the system role; may run again for what is done.
   */
  remove(tx: Tx, tenantId: string, most: number): Promise<number>
  /** Goes together with the tenant itself: until then nobody else may have it. Default: before its rows. */
  readonly isLast?: boolean
}

export interface KeptHolding extends NamesTenants {
  /** Why it stays, which completes "kept: …". */
  readonly kept: string
}
