import { isDeepStrictEqual } from 'node:util'
import type { CompiledQuery, SelectQueryBuilder } from 'kysely'
import { unboundTx } from './kysely.ts'
import { fillerOf } from './prepared.ts'
import type { Tx } from './tables.ts'

// biome-ignore lint/suspicious/noExplicitAny: which tables the query joins is the caller's business
type ListQuery<TB extends keyof any & string, O> = SelectQueryBuilder<any, TB, O>

/** One form of a list's pages, built. */
interface Form {
  fill: (values: readonly unknown[]) => CompiledQuery
  uses: number
}

/** The query of a list without any filter. Its pages are built once, for all tenants. */
// biome-ignore lint/suspicious/noExplicitAny: as above
export class UnfilteredList<TB extends keyof any & string, O> {
  readonly #build: (tx: Tx, tenantId: string) => ListQuery<TB, O>
  readonly #forms: Map<string, Form>
  readonly #tx: Tx
  readonly #tenantId: string

  constructor(
    build: (tx: Tx, tenantId: string) => ListQuery<TB, O>,
    forms: Map<string, Form>,
    { tx, tenantId }: { tx: Tx; tenantId: string },
  ) {
    this.#build = build
    this.#forms = forms
    this.#tx = tx
    this.#tenantId = tenantId
  }

  /** The query itself, to be narrowed. */
  query(): ListQuery<TB, O> {
    return this.#build(this.#tx, this.#tenantId)
  }

  /**
   * The rows of one page. `finish` makes a page of the query; it is called once for each `name` of a form, and may only pass
   * `values` on.
   */
  async read(
    name: string,
    values: readonly unknown[],
    finish: (query: ListQuery<TB, O>, values: readonly unknown[]) => ListQuery<TB, O>,
  ): Promise<O[]> {
    const make = ([tenantId, ...rest]: readonly unknown[]) => finish(this.#build(unboundTx, tenantId as string), rest)
    const form = this.#forms.get(name) ?? { fill: fillerOf(1 + values.length, make), uses: 0 }
    this.#forms.set(name, form)
    const all = [this.#tenantId, ...values]
    const filled = form.fill(all)
    if (++form.uses === 2) requireSame(filled, make(all).compile())
    return (await this.#tx.executeQuery(filled)).rows as O[] // what stands under the name was made by the same function
  }
}

/** What was built with stand-ins must be what would be built now; once, since that costs what is saved. */
function requireSame(filled: CompiledQuery, built: CompiledQuery): void {
  if (filled.sql === built.sql && isDeepStrictEqual(filled.parameters, built.parameters)) return
  throw new Error(`A prepared list changes without a filter: what it depends on belongs into the filter: ${built.sql}`)
}

/**
 * The query of a list, for `page`. Asked for without a filter, as most lists are most of the time, it is built once and only
 * filled in from then on: building a query takes longer than reading a few rows. So what it says without a filter must not
 * depend on anything but the tenant, whose id is only passed on: not on the time, say, which belongs into the filter.
 */
// biome-ignore lint/suspicious/noExplicitAny: as above
export function preparedList<Filter extends object, TB extends keyof any & string, O>(
  build: (tx: Tx, tenantId: string, filter: Filter) => ListQuery<TB, O>,
): (tx: Tx, tenantId: string, filter?: Filter) => ListQuery<TB, O> | UnfilteredList<TB, O> {
  const forms = new Map<string, Form>()
  const unfiltered = (tx: Tx, tenantId: string) => build(tx, tenantId, {} as Filter) // nothing of a filter has to be given
  return (tx, tenantId, filter) =>
    filter && isSet(filter) ? build(tx, tenantId, filter) : new UnfilteredList(unfiltered, forms, { tx, tenantId })
}

/** Whether a query asks for anything but a page. */
function isSet(filter: object): boolean {
  return Object.entries(filter).some(([name, value]) => value !== undefined && name !== 'limit' && name !== 'cursor')
}
