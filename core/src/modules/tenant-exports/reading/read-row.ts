import { Value } from 'typebox/value'
import type { ImportRule } from '#kernel'
import type { TableColumn } from '../content/content-queries.ts'
import { isCanonicalId } from './ids.ts'
import { eachText, type Row, readObject } from './json.ts'
import type { TableToRead } from './match-tables.ts'
import { ImportRefused } from './refused.ts'

/**
 * A row of an export as this version of its module would have written it, in the columns that the table has here. Null: an upgrade
 * leaves it out. Throws `ImportRefused` for a row that no export of that table has, or that no request could have written: of one that this
 * installation has written (`isOurs`) that was seen to.
 */
export function readRow(table: TableToRead, line: string, { isOurs = false } = {}): Row | null {
  const { told } = table
  const row = upgraded(table, exactly(readObject(line, told.entry), table))
  if (row === null) return null
  const columns = table.here.columns.filter(({ name }) => Object.hasOwn(row, name))
  const kept: Row = {}
  for (const column of columns) {
    const value = row[column.name] ?? null
    const problem = problemOf(isOurs ? {} : table.rule, column, value)
    if (problem) throw new ImportRefused(`${table.name}.${column.name} of ${nameOf(table, row)} ${problem}`)
    kept[column.name] = value
  }
  return kept
}

/** What a row is called in a sentence. */
export const nameOf = ({ here }: TableToRead, row: Row): string =>
  here.key.length > 0 ? here.key.map(({ name }) => String(row[name])).join(', ') : 'the tenant'

function exactly(row: Row, { told, name }: TableToRead): Row {
  const names = Object.keys(row)
  if (names.length !== told.columns.length || !told.columns.every((column) => Object.hasOwn(row, column.name)))
    throw new ImportRefused(`a row of the table ${name} has other columns than the manifest says`)
  eachText(row, (text) => {
    if (!text.isWellFormed() || text.includes('\0'))
      throw new ImportRefused(`a row of the table ${name} has a text that cannot be stored`)
  })
  return row
}

function upgraded({ upgrades }: TableToRead, row: Row): Row | null {
  let current: Row | null = row
  for (const upgrade of upgrades) if (current !== null) current = upgrade(current) as Row | null // read by nobody else
  return current
}

function problemOf(rule: ImportRule, { name, type, is_nullable }: TableColumn, value: unknown): string | null {
  if (value === null) return is_nullable ? null : 'is null'
  // PostgreSQL would read other forms too, which nothing that is checked or replaced here would see.
  if (!isOfType(type, value)) return `is no ${type}`
  const schema = rule.columns?.[name]
  return schema && !Value.Check(schema, value) ? 'is nothing that could be written there' : null
}

const MOMENT = /^(?:\d{4,6}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:[+-]\d\d(?::\d\d){0,2})?|-?infinity)$/
const DATE = /^(?:\d{4,6}-\d\d-\d\d|-?infinity)$/

function isOfType(type: string, value: unknown): boolean {
  if (type.endsWith('[]'))
    return Array.isArray(value) && value.every((each) => each === null || isOfType(type.slice(0, -2), each))
  if (type === 'uuid') return isCanonicalId(value)
  if (type === 'boolean') return typeof value === 'boolean'
  if (type === 'text' || type.startsWith('character')) return typeof value === 'string'
  if (type.startsWith('timestamp')) return typeof value === 'string' && MOMENT.test(value)
  if (type === 'date') return typeof value === 'string' && DATE.test(value)
  if (type === 'integer' || type === 'smallint') return Number.isInteger(value)
  if (type === 'json' || type === 'jsonb') return true
  // What is left is written as a number or a text: bigint and numeric, bytea, ranges and an application's own types.
  return ['number', 'string', 'object'].includes(typeof value)
}
