import type { Ctx } from '#kernel'
import { listAccountsAmong } from '../import/import-queries.ts'
import type { Row } from '../reading/json.ts'
import type { TableToRead } from '../reading/match-tables.ts'
import { readRow } from '../reading/read-row.ts'
import { ImportRefused } from '../reading/refused.ts'
import { listStates } from './restore-queries.ts'
import { rowsHere, ruleOf } from './steps.ts'

/** Rows of a part, by what is here of them. */
export interface Compared {
  missing: Row[]
  changed: Row[]
  /** How many cannot come back. */
  unrestorable: number
}

/** What a row becomes that is there. */
export function columnsToRestore(ctx: Ctx, table: TableToRead, row: Row): string[] {
  const { isMissingOnly, keeps = [] } = ruleOf(ctx, table)
  const key = new Set([table.here.tenant_key, ...table.here.key.map(({ name }) => name)])
  return isMissingOnly ? [] : Object.keys(row).filter((name) => !key.has(name) && !keeps.includes(name))
}

/**
 * Compares rows with what is here, in a transaction of the tenant. A missing row cannot come back without what no export has, or without the person it
 * refers to: an account that is not here any more.
 */
export async function compare(ctx: Ctx, table: TableToRead, lines: readonly string[]): Promise<Compared> {
  const compared: Compared = { missing: [], changed: [], unrestorable: 0 }
  const read = lines.map((line) => readRow(table, line, { isOurs: true })).filter((row) => row !== null)
  const [first] = read
  if (!first) return compared
  for (const row of read)
    if (row[table.here.tenant_key] !== ctx.tenantId)
      throw new ImportRefused(`a row of the table ${table.name} does not belong to the tenant`)
  const columns = columnsToRestore(ctx, table, first)
  const states = await listStates(ctx.tx, rowsHere(table, ctx.tenantId, { columns, rows: read }))
  const missing = read.filter((_row, at) => states[at] === 'missing')
  const changed = read.filter((_row, at) => states[at] === 'changed')
  compared.missing = await completed(ctx, table, await withPeople(ctx, table, missing))
  compared.changed = await withPeople(ctx, table, changed)
  compared.unrestorable = missing.length + changed.length - compared.missing.length - compared.changed.length
  return compared
}

/** Rows whose people are here: nobody stands for somebody else, and where a row may say nobody it does. */
async function withPeople(ctx: Ctx, { here }: TableToRead, rows: readonly Row[]): Promise<Row[]> {
  const named = rows.flatMap((row) => here.people.flatMap((column) => row[column] ?? [])).map(String)
  const accounts = new Set(named.length > 0 ? await listAccountsAmong(ctx.tx, [...new Set(named)]) : [])
  return rows.flatMap((row) => {
    const gone = here.people.filter((column) => row[column] != null && !accounts.has(String(row[column])))
    const mayBeNull = gone.every((column) =>
      here.columns.some(({ name, is_nullable }) => name === column && is_nullable),
    )
    return mayBeNull ? [{ ...row, ...Object.fromEntries(gone.map((column) => [column, null])) }] : []
  })
}

/** Rows with what they say in columns that no export has. */
async function completed(ctx: Ctx, table: TableToRead, rows: Row[]): Promise<Row[]> {
  const { missing } = ruleOf(ctx, table)
  if (rows.length === 0 || table.name === 'files') return rows
  if (!missing) return table.here.required.length > 0 ? [] : rows
  const said = await missing(ctx, rows)
  return rows.flatMap((row, at) => {
    const more = said[at]
    return more ? [{ ...row, ...more }] : []
  })
}
