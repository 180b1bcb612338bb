import { type Expression, type RawBuilder, type SqlBool, sql } from 'kysely'
import { notFound } from '../errors.ts'
import type { Access } from '../module.ts'
import { isOfOperators } from './operators.ts'
import { columnIn } from './query-column.ts'

/**
 * How rows name their store: a column with its table (`articles.store_id`), which every narrowed query must read under any
 * alias; or a condition for rows in one of these stores.
 */
export type RowsInStores = string | ((stores: readonly string[]) => RawBuilder<boolean>)

/** Where a request names a store, as problems point at it. */
export type StorePlace = 'headers/x-store-id' | `params/${string}` | `query/${string}` | `#/${string}`

/** Where a route finds the store for which a grant for one store is enough. */
export type StoreScope =
  | 'header'
  | 'id'
  | {
      /** The request names the store. If it does not, a grant for the whole tenant is needed. */
      readonly named?: StorePlace
      /** The rows of the route belong to stores: the kernel limits them to the caller's stores, or to the named one. */
      readonly rows?: RowsInStores
    }
  | {
      /** Why the data of the route belongs to no store, so that a grant in any place is enough. */
      readonly shared: string
    }

/** The same in a normalised form. */
export interface StoreRule {
  readonly named: StorePlace | null
  readonly rows: RowsInStores | null
  readonly shared: boolean
}

/** Null: a grant for the whole tenant is needed. */
export function storeRuleOf(access: Access): StoreRule | null {
  if (typeof access === 'string' || isOfOperators(access) || access.store === undefined) return null
  const { store } = access
  if (store === 'header') return { named: 'headers/x-store-id', rows: null, shared: false }
  if (store === 'id') return { named: 'params/id', rows: null, shared: false }
  if ('shared' in store) return { named: null, rows: null, shared: true }
  return { named: store.named ?? null, rows: store.rows ?? null, shared: false }
}

/**
 * Whether a grant for the store of `X-Store-ID` is enough. The declaration may be unchecked, so any value may occur.
 */
export function namesStoreHeader(access: Access): boolean {
  const store: unknown = typeof access === 'object' && !isOfOperators(access) ? access.store : undefined
  if (typeof store !== 'object' || store === null) return store === 'header'
  return 'named' in store && store.named === 'headers/x-store-id'
}

/** Problems with a route's declaration of its store; `isList`: it answers in pages. */
export function problemsOfStoreScope(access: Access, path: string, isList: boolean): string[] {
  if (typeof access === 'string' || isOfOperators(access) || access.store === undefined) return []
  const { store } = access
  if (typeof store === 'string' ? !['header', 'id'].includes(store) : typeof store !== 'object' || store === null)
    return [`has the unknown store: '${store}'`]
  const { named, rows, shared } = storeRuleOf(access)! // there is a store, so there is a rule
  if (shared) return []
  const problems: string[] = []
  if (named === null && rows === null) problems.push('does not say where its store stands (named, rows or shared)')
  if (named !== null && !/^(headers\/x-store-id|params\/\w+|query\/\w+|#\/\w+)$/.test(named))
    problems.push(`names its store in the unknown place ${named}`)
  const param = named?.startsWith('params/') ? named.slice('params/'.length) : null
  if (param !== null && !new RegExp(`:${param}(/|$)`).test(path)) problems.push(`has no :${param} in its path`)
  // Without `rows`, a handler that does not filter would list the rows of all stores.
  if (isList && rows === null) problems.push('is a list that stores narrow: say where its rows stand (rows or shared)')
  return problems
}

/** The stores that a request is limited to, and whether its rows were limited to them. */
export class StoreSight {
  /** Null: all of the tenant's. */
  readonly stores: readonly string[] | null
  /** The permission that the route needs in these stores. */
  readonly permission: string
  readonly #rows: RowsInStores | null
  #applied = false

  constructor(stores: readonly string[] | null, permission: string, rows: RowsInStores | null) {
    this.stores = stores
    this.permission = permission
    this.#rows = rows
  }

  narrow<Q extends { where(condition: Expression<SqlBool>): Q }>(query: Q): Q {
    // Looked up for everybody, so that whoever sees all stores meets the mistake as well.
    const rows = typeof this.#rows === 'string' ? columnIn(query, this.#rows) : this.#rows
    this.#applied = true
    if (this.stores === null) return query
    if (rows === null) throw new Error('The route does not say where its rows stand: give its access `rows`')
    return query.where(
      typeof rows === 'string' ? sql<boolean>`${sql.ref(rows)} = any(${this.stores}::uuid[])` : rows(this.stores),
    )
  }

  /** Throws 404 for a row in another store. */
  require(storeId: string | null): void {
    this.#applied = true
    if (this.stores !== null && (storeId === null || !this.stores.includes(storeId))) throw notFound()
  }

  /** Throws when rows were not limited to the stores: the answer must not be sent. */
  assertApplied(): void {
    if (this.stores === null || this.#rows === null || this.#applied) return
    throw new Error('Rows were not narrowed to the stores of the caller: use page, ctx.narrow or ctx.requireStore')
  }
}

/** For work of the system, which is not limited to stores. */
export const wholeSight = () => new StoreSight(null, '', null)
