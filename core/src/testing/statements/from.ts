import { byComma, isStatement, isText, isWord, type Token } from './tokens.ts'

/** Something that a statement reads from or writes to. */
export interface Ref {
  alias: string
  /** Column that says whose the row is. */
  key: string
  /** A tenant-owned table, or something derived from one. */
  tenant: boolean
  /** Named by a table of its own; derived ones are read where they stand. */
  base: boolean
}

export interface Names {
  /** Tenant-owned tables and their tenant key. */
  tables: ReadonlyMap<string, string>
  /** Names of WITH: true for those that read tenant-owned tables. */
  ctes: ReadonlyMap<string, boolean>
}

export interface From {
  refs: Ref[]
  /** What stands behind ON. */
  conditions: Token[][]
  /** Columns of USING, which join the refs by name. */
  using: string[][]
}

const JOIN = ['join', 'inner', 'left', 'right', 'full', 'outer', 'cross', 'natural']
const NO_ALIAS = [
  ...JOIN,
  'on',
  'using',
  'set',
  'where',
  'tablesample',
  'values',
  'select',
  'default',
  'overriding',
  'with',
  'returning',
]

/** Reads a list of tables and joins, as it stands behind FROM, UPDATE, USING or INTO. */
export function readFrom(tokens: readonly Token[], names: Names): From {
  const from: From = { refs: [], conditions: [], using: [] }
  let at = 0
  while (at < tokens.length) {
    const token = tokens[at]
    if (isText(token, ',') || isWord(token, ...JOIN, 'lateral', 'only')) at++
    else if (isWord(token, 'on')) {
      const end = endOfCondition(tokens, at + 1)
      from.conditions.push(tokens.slice(at + 1, end))
      at = end
    } else if (isWord(token, 'using')) {
      const columns = tokens[at + 1]
      if (columns?.kind === 'group')
        from.using.push(byComma(columns.items).flatMap(([name]) => (name?.kind === 'name' ? [name.text] : [])))
      at += 2
    } else at = readItem(tokens, at, names, from)
  }
  return from
}

function endOfCondition(tokens: readonly Token[], start: number): number {
  // `left(x, 1)` is a function and no join.
  const end = tokens.findIndex(
    (token, at) => at >= start && (isText(token, ',') || (isWord(token, ...JOIN) && tokens[at + 1]?.kind !== 'group')),
  )
  return end < 0 ? tokens.length : end
}

/** One table, function, name of WITH or sub-select, with its alias. Returns where it ends. */
function readItem(tokens: readonly Token[], start: number, names: Names, from: From): number {
  let at = start
  const token = tokens[at]
  if (token?.kind === 'group' && !isStatement(token.items)) {
    const inner = readFrom(token.items, names)
    from.refs.push(...inner.refs)
    from.conditions.push(...inner.conditions)
    from.using.push(...inner.using)
    return at + 1
  }
  const ref: Ref = { alias: '', key: 'tenant_id', tenant: false, base: false }
  if (token?.kind === 'group') ref.tenant = readsTenants(token.items, names)
  if (token?.kind === 'name') {
    let name = token.text
    const last = tokens[at + 2]
    if (isText(tokens[at + 1], '.') && last?.kind === 'name') {
      name = last.text
      at += 2
    }
    const isFunction = tokens[at + 1]?.kind === 'group' && !token.quoted
    const key = isFunction ? undefined : names.tables.get(name)
    Object.assign(ref, { alias: name, tenant: names.ctes.get(name) ?? key !== undefined })
    if (key !== undefined && !names.ctes.has(name)) Object.assign(ref, { key, base: true })
    if (isFunction) at++
  }
  at++
  if (isWord(tokens[at], 'with')) at += 2 // WITH ORDINALITY
  if (isWord(tokens[at], 'as')) at++
  const alias = tokens[at]
  if (alias?.kind === 'name' && (alias.quoted || !NO_ALIAS.includes(alias.text))) {
    ref.alias = alias.text
    at++
    if (tokens[at]?.kind === 'group') at++ // names of columns
  }
  from.refs.push(ref)
  return at
}

/** Whether a tenant-owned table is named anywhere inside. */
export function readsTenants(tokens: readonly Token[], names: Names): boolean {
  return tokens.some((token) => {
    if (token.kind === 'group') return readsTenants(token.items, names)
    return token.kind === 'name' && (names.ctes.get(token.text) ?? names.tables.has(token.text))
  })
}
