import { isStatement, isText, isWord, split, type Token } from './tokens.ts'

export interface Column {
  alias: string | null
  name: string
}

/** `column = $n` or `column = column`, where every row must fulfil it. */
export type Equality = { column: Column; param: number } | { column: Column; other: Column }

/** The equalities that hold for every row: none of those under OR or NOT. */
export function listEqualities(condition: readonly Token[]): Equality[] {
  const [first] = condition
  if (condition.length === 1 && first?.kind === 'group')
    return isStatement(first.items) ? [] : listEqualities(first.items)
  if (condition.some((token) => isWord(token, 'or'))) return []
  const parts = split(condition, (token) => isWord(token, 'and'))
  if (parts.length > 1) return parts.flatMap(listEqualities)
  const at = condition.findIndex((token) => isText(token, '='))
  const left = readOperand(condition.slice(0, at))
  const right = readOperand(condition.slice(at + 1))
  if (at < 0 || left === null || right === null) return []
  if (typeof left === 'number') return typeof right === 'number' ? [] : [{ column: right, param: left }]
  return typeof right === 'number' ? [{ column: left, param: right }] : [{ column: left, other: right }]
}

/** A column, or the number of a parameter, cast or not; null for anything else. */
function readOperand(tokens: readonly Token[]): Column | number | null {
  const [first, second, third] = tokens
  if (tokens.length === 1 && first?.kind === 'group') return isStatement(first.items) ? null : readOperand(first.items)
  if (first?.kind === 'param')
    return tokens.length === 1 || (isText(second, '::') && tokens.length === 3) ? first.index : null
  if (isWord(first, 'cast') && second?.kind === 'group' && tokens.length === 2)
    return readOperand(second.items.slice(0, 1))
  if (first?.kind !== 'name') return null
  if (tokens.length === 1) return { alias: null, name: first.text }
  if (!isText(second, '.') || third?.kind !== 'name') return null
  if (tokens.length === 3) return { alias: first.text, name: third.text }
  // schema.table.column
  const column = tokens[4]
  return tokens.length === 5 && isText(tokens[3], '.') && column?.kind === 'name'
    ? { alias: third.text, name: column.text }
    : null
}
