import type { Compilable, CompiledQuery } from 'kysely'
import { unboundTx } from './kysely.ts'
import type { Tx } from './tables.ts'

/**
 * Builds a query once and only fills in its values from then on. For the few look-ups that nearly every request makes:
 * building and compiling the same query anew costs a tenth of such a request. `build` is run once with stand-ins for its
 * values, so it must not look at them, only pass them on.
 */
export function prepared<Values extends readonly unknown[], Row>(
  build: (tx: Tx, ...values: Values) => Compilable<Row>,
): (tx: Tx, ...values: Values) => Promise<Row[]> {
  let fill: ((values: readonly unknown[]) => CompiledQuery<Row>) | undefined
  return async (tx, ...values) => {
    fill ??= fillerOf(build.length - 1, (standIns) => build(unboundTx, ...(standIns as unknown as Values)))
    return (await tx.executeQuery(fill(values))).rows
  }
}

/**
 * The same for a query that takes a whole row: the values of these columns, all of them given. `build` passes them on one by
 * one, as `values(row)` of an INSERT does.
 */
export function preparedRow<Row extends object, Result>(
  columns: readonly (keyof Row & string)[],
  build: (tx: Tx, row: Row) => Compilable<Result>,
): (tx: Tx, row: Row) => Promise<Result[]> {
  const fill = rowFiller(columns, build)
  return async (tx, row) => (await tx.executeQuery(fill(row))).rows
}

/** The same, filled in and not sent. */
export function rowFiller<Row extends object, Result>(
  columns: readonly (keyof Row & string)[],
  build: (tx: Tx, row: Row) => Compilable<Result>,
): (row: Row) => CompiledQuery<Result> {
  let fill: ((values: readonly unknown[]) => CompiledQuery<Result>) | undefined
  return (row) => {
    fill ??= fillerOf(columns.length, (values) =>
      build(unboundTx, Object.fromEntries(columns.map((column, index) => [column, values[index]])) as Row),
    )
    return fill(columns.map((column) => row[column]))
  }
}

/** Builds a query with stand-ins for so many values. What comes out fills it in with values, and sends nothing. */
export function fillerOf<Row>(count: number, build: (values: readonly unknown[]) => Compilable<Row>) {
  const standIns: unknown[] = Array.from({ length: count }, (_, index) => ({ index }))
  // They may only be passed on as parameters, so their types do not matter.
  const query = build(standIns).compile()
  const places = query.parameters.map((parameter) => standIns.indexOf(parameter))
  const lost = standIns.findIndex((_, index) => !places.includes(index))
  if (lost !== -1) throw new Error(`Value ${lost + 1} of a prepared query is no parameter of it: ${query.sql}`)
  return (values: readonly unknown[]): CompiledQuery<Row> => ({
    ...query,
    parameters: places.map((place, index) => (place === -1 ? query.parameters[index] : values[place])),
  })
}
