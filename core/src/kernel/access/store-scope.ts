import { type Expression, type RawBuilder, type SqlBool, sql } from 'kysely'
import { notFound } from '../errors.ts'
import type { Access } from '../module.ts'

/**
 * Where rows say which store they stand in: the column's full name in the query (`articles.store_id`), or a condition
 * beside the query's own tables that holds for rows in one of these stores.
 */
export type RowsInStores = string | ((stores: readonly string[]) => RawBuilder<boolean>)

/** Where a request names a store, as problems point at it. */
export type StorePlace = 'headers/x-store-id' | `params/${string}` | `query/${string}` | `#/${string}`

/** Where the store of a route stands, for which a grant for that store is enough. */
export type StoreScope =
  | 'header'
  | 'id'
  | {
      /** The request names the store. Left out by the caller, only a grant for the whole tenant will do. */
      readonly named?: StorePlace
      /** What the route reads or changes stands in stores: the kernel narrows it to the caller's, or to the one named. */
      readonly rows?: RowsInStores
    }
  | {
      /** Why nothing that the route shows or changes stands in a store: whoever holds the permission anywhere may. */
      readonly shared: string
    }

/** The same, in one form. */
export interface StoreRule {
  readonly named: StorePlace | null
  readonly rows: RowsInStores | null
  readonly shared: boolean
}

/** Null: a grant for the whole tenant is needed. */
export function storeRuleOf(access: Access): StoreRule | null {
  if (typeof access === 'string' || access.store === undefined) return null
  const { store } = access
  if (store === 'header') return { named: 'headers/x-store-id', rows: null, shared: false }
  if (store === 'id') return { named: 'params/id', rows: null, shared: false }
  if ('shared' in store) return { named: null, rows: null, shared: true }
  return { named: store.named ?? null, rows: store.rows ?? null, shared: false }
}

/** Whether a grant for the store of `X-Store-ID` is enough. Asked of what was not checked yet, so anything may stand there. */
export function namesStoreHeader(access: Access): boolean {
  const store: unknown = typeof access === 'object' ? access.store : undefined
  if (typeof store !== 'object' || store === null) return store === 'header'
  return 'named' in store && store.named === 'headers/x-store-id'
}

/** What is wrong with how a route says where its store stands; `isList`: it answers page by page. */
export function problemsOfStoreScope(access: Access, path: string, isList: boolean): string[] {
  if (typeof access === 'string' || access.store === undefined) return []
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
  // A handler that forgets to narrow a list shows every store's rows.
  if (isList && rows === null) problems.push('is a list that stores narrow: say where its rows stand (rows or shared)')
  return problems
}

/** The stores that one request counts for, and whether what it reads was narrowed to them. */
export class StoreSight {
  /** Null: all of the tenant's. */
  readonly stores: readonly string[] | null
  /** What the route asks for, in those stores. */
  readonly permission: string
  readonly #rows: RowsInStores | null
  #applied = false

  constructor(stores: readonly string[] | null, permission: string, rows: RowsInStores | null) {
    this.stores = stores
    this.permission = permission
    this.#rows = rows
  }

  narrow<Q extends { where(condition: Expression<SqlBool>): Q }>(query: Q): Q {
    this.#applied = true
    if (this.stores === null) return query
    if (this.#rows === null) throw new Error('The route does not say where its rows stand: give its access `rows`')
    return query.where(
      typeof this.#rows === 'string'
        ? sql<boolean>`${sql.ref(this.#rows)} = any(${this.stores}::uuid[])`
        : this.#rows(this.stores),
    )
  }

  /** Throws 404 for a row in a store out of sight. */
  require(storeId: string | null): void {
    this.#applied = true
    if (this.stores !== null && (storeId === null || !this.stores.includes(storeId))) throw notFound()
  }

  /** Throws when rows should have been narrowed and were not: the answer must not leave. */
  assertApplied(): void {
    if (this.stores === null || this.#rows === null || this.#applied) return
    throw new Error('Rows were not narrowed to the stores of the caller: use page, ctx.narrow or ctx.requireStore')
  }
}

/** Nothing is narrowed: the system's own work. */
export const wholeSight = () => new StoreSight(null, '', null)
