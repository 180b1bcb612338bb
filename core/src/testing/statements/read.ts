import { type Equality, listEqualities } from './conditions.ts'
import { type From, type Names, type Ref, readFrom, readsTenants } from './from.ts'
import { byComma, isStatement, isText, isWord, readTokens, split, type Token } from './tokens.ts'

/** What a statement does to tenant-owned tables. */
export interface Reading {
  /** Why it is refused, in words; empty when it keeps to the rules. */
  problems: string[]
  /** Numbers of the parameters that must hold the transaction's tenant. */
  params: Set<number>
}

/** The refs of the statements around this one, and those of them that are held to one tenant. */
interface Outer {
  refs: readonly Ref[]
  bound: ReadonlySet<Ref>
}

/** Reads one statement. `tables`: the tenant-owned tables and the tenant key of each. */
export function readStatement(sql: string, tables: ReadonlyMap<string, string>): Reading {
  const reading: Reading = { problems: [], params: new Set() }
  read(readTokens(sql), { tables, ctes: new Map() }, { refs: [], bound: new Set() }, reading)
  return reading
}

const AFTER_FROM = ['where', 'group', 'having', 'window', 'order', 'limit', 'offset', 'fetch', 'for', 'returning']

function read(tokens: readonly Token[], names: Names, outer: Outer, reading: Reading): void {
  const [first] = tokens
  const parts = split(tokens, (token) => isWord(token, 'union', 'intersect', 'except')).map((part) =>
    isWord(part[0], 'all', 'distinct') ? part.slice(1) : part,
  )
  if (tokens.length === 1 && first?.kind === 'group') read(first.items, names, outer, reading)
  else if (isWord(first, 'with')) readWith(tokens, names, outer, reading)
  else if (parts.length > 1) for (const part of parts) read(part, names, outer, reading)
  else if (isWord(first, 'select')) readSelect(tokens, names, outer, reading)
  else if (isWord(first, 'insert')) readInsert(tokens, names, outer, reading)
  else if (isWord(first, 'update')) readUpdate(tokens, names, outer, reading)
  else if (isWord(first, 'delete')) readDelete(tokens, names, outer, reading)
  else if (isWord(first, 'values')) readInside(tokens, names, outer, reading)
  else if (readsTenants(tokens, names)) reading.problems.push('is none of SELECT, INSERT, UPDATE and DELETE')
}

function readWith(tokens: readonly Token[], names: Names, outer: Outer, reading: Reading): void {
  const ctes = new Map(names.ctes)
  const recursive = isWord(tokens[1], 'recursive')
  let at = recursive ? 2 : 1
  for (;;) {
    const name = tokens[at]
    const body = tokens.findIndex((token, i) => i > at && token.kind === 'group' && isStatement(token.items))
    const group = tokens[body]
    if (name?.kind !== 'name' || group?.kind !== 'group') break
    const tenant = readsTenants(group.items, { ...names, ctes })
    if (recursive) ctes.set(name.text, tenant)
    read(group.items, { ...names, ctes: new Map(ctes) }, outer, reading)
    ctes.set(name.text, tenant)
    at = body + 1
    if (!isText(tokens[at], ',')) break
    at++
  }
  read(tokens.slice(at), { ...names, ctes }, outer, reading)
}

function readSelect(tokens: readonly Token[], names: Names, outer: Outer, reading: Reading): void {
  const start = indexOfWord(tokens, ['from'])
  const from = start < 0 ? NOTHING : readFrom(clause(tokens, start + 1, AFTER_FROM), names)
  const bound = judge(from, whereOf(tokens), outer, reading)
  readInside(tokens, names, { refs: [...from.refs, ...outer.refs], bound }, reading)
}

function readUpdate(tokens: readonly Token[], names: Names, outer: Outer, reading: Reading): void {
  const set = indexOfWord(tokens, ['set'])
  const start = indexOfWord(tokens, ['from'])
  const target = readFrom(tokens.slice(1, set), names)
  const from = join(target, start < 0 ? NOTHING : readFrom(clause(tokens, start + 1, AFTER_FROM), names))
  checkSet(clause(tokens, set + 1, ['from', ...AFTER_FROM]), target, reading)
  const bound = judge(from, whereOf(tokens), outer, reading)
  readInside(tokens, names, { refs: [...from.refs, ...outer.refs], bound }, reading)
}

function readDelete(tokens: readonly Token[], names: Names, outer: Outer, reading: Reading): void {
  const using = indexOfWord(tokens, ['using'])
  const target = readFrom(clause(tokens, 2, ['using', ...AFTER_FROM]), names)
  const from = join(target, using < 0 ? NOTHING : readFrom(clause(tokens, using + 1, AFTER_FROM), names))
  const bound = judge(from, whereOf(tokens), outer, reading)
  readInside(tokens, names, { refs: [...from.refs, ...outer.refs], bound }, reading)
}

/** A row says itself whose it is; a SELECT as its source is held to the same rules as any. */
function readInsert(tokens: readonly Token[], names: Names, outer: Outer, reading: Reading): void {
  const columnsAt = tokens.findIndex((token, at) => at > 2 && token.kind === 'group' && !isStatement(token.items))
  const valuesAt = indexOfWord(tokens, ['values', 'select', 'with', 'default'])
  const hasColumns = columnsAt > 0 && (valuesAt < 0 || columnsAt < valuesAt)
  const source = tokens.slice(hasColumns ? columnsAt + 1 : 3)
  const conflict = source.findIndex((token, at) => isWord(token, 'on') && isWord(source[at + 1], 'conflict'))
  const returning = indexOfWord(source, ['returning'])
  const end = [conflict, returning, source.length].find((at) => at >= 0)
  const rows = source.slice(0, end)
  const target = readFrom(tokens.slice(2, hasColumns ? columnsAt : 3), names)
  const [ref] = target.refs
  if (ref?.base) {
    const group = tokens[columnsAt]
    const columns =
      hasColumns && group?.kind === 'group'
        ? byComma(group.items).map(([name]) => (name?.kind === 'name' ? name.text : ''))
        : []
    const keyAt = columns.indexOf(ref.key)
    if (keyAt < 0) reading.problems.push(`inserts into ${ref.alias} without its ${ref.key}`)
    const isSelected = isStatement(rows) && !isWord(rows[0], 'values')
    if (isSelected) noteSelected(rows, keyAt, reading)
    else for (const row of rows) noteKey(row, keyAt, reading)
    if (isSelected && conflict < 0 && returning < 0)
      reading.problems.push(`inserts into ${ref.alias} from a SELECT without RETURNING`)
    const updates = source.findIndex((token, at) => at > conflict && conflict >= 0 && isWord(token, 'set'))
    if (updates >= 0) checkSet(clause(source, updates + 1, AFTER_FROM), target, reading)
  }
  const inner: Outer = { refs: [...target.refs, ...outer.refs], bound: new Set([...target.refs, ...outer.bound]) }
  if (isStatement(rows)) read(rows, names, inner, reading)
  readInside(source.slice(end), names, inner, reading)
}

function noteKey(row: Token, keyAt: number, reading: Reading): void {
  if (row.kind === 'group') noteParam(row.items, keyAt, reading)
}

/** The same of rows that are selected: what a WITH before them selects is read by itself. */
function noteSelected(rows: readonly Token[], keyAt: number, reading: Reading): void {
  if (!isWord(rows[0], 'select')) return
  const end = indexOfWord(rows, ['from'])
  noteParam(rows.slice(1, end < 0 ? rows.length : end), keyAt, reading)
}

function noteParam(values: readonly Token[], keyAt: number, reading: Reading): void {
  const value = keyAt < 0 ? undefined : byComma(values)[keyAt]?.[0]
  if (value?.kind === 'param') reading.params.add(value.index)
}

function checkSet(tokens: readonly Token[], { refs: [ref] }: From, reading: Reading): void {
  const changed = byComma(tokens).some(([name]) => name?.kind === 'name' && name.text === ref?.key)
  if (changed && ref?.base) reading.problems.push(`changes the ${ref.key} of ${ref.alias}`)
}

/** Statements in parentheses, at any depth; they see what stands around them. */
function readInside(tokens: readonly Token[], names: Names, outer: Outer, reading: Reading): void {
  for (const token of tokens) {
    if (token.kind !== 'group') continue
    if (isStatement(token.items)) read(token.items, names, outer, reading)
    else readInside(token.items, names, outer, reading)
  }
}

/** Holds each tenant-owned table against the equalities. Returns all refs, outer ones too, that are held to one tenant. */
function judge(from: From, where: readonly Token[], outer: Outer, reading: Reading): Set<Ref> {
  const equalities = [...from.conditions, where].flatMap(listEqualities)
  const links: [Ref, Ref][] = from.using.flatMap((columns) =>
    from.refs
      .slice(1)
      .flatMap((ref, at): [Ref, Ref][] =>
        columns.includes(ref.key) && from.refs[at]?.key === ref.key ? [[from.refs[at], ref]] : [],
      ),
  )
  const bound = new Set([...outer.bound, ...from.refs.filter((ref) => ref.tenant && !ref.base)])
  for (const equality of equalities) {
    const ref = resolve(equality, 'column', from.refs, outer.refs)
    if (!ref) continue
    if ('param' in equality) {
      bound.add(ref)
      if (ref.tenant) reading.params.add(equality.param)
    } else {
      const other = resolve(equality, 'other', from.refs, outer.refs)
      if (other) links.push([ref, other])
    }
  }
  spread(bound, links)
  const tenants = from.refs.filter((ref) => ref.base)
  for (const ref of tenants) if (!bound.has(ref)) reading.problems.push(`uses ${ref.alias} without ${ref.key} = $n`)
  const [driving] = from.refs.filter((ref) => ref.tenant)
  const joined = spread(new Set(driving ? [driving, ...outer.bound] : []), links)
  for (const ref of tenants)
    if (bound.has(ref) && !joined.has(ref)) reading.problems.push(`joins ${ref.alias} by other columns than ${ref.key}`)
  return bound
}

/** Adds whatever is linked to a member. */
function spread(members: Set<Ref>, links: readonly [Ref, Ref][]): Set<Ref> {
  for (let size = -1; size !== members.size; ) {
    size = members.size
    for (const [one, other] of links) {
      if (members.has(one)) members.add(other)
      else if (members.has(other)) members.add(one)
    }
  }
  return members
}

/** The table whose tenant key a side of an equality is, looked for here first and then around. */
function resolve(
  equality: Equality,
  side: 'column' | 'other',
  own: readonly Ref[],
  around: readonly Ref[],
): Ref | undefined {
  const column = side === 'column' ? equality.column : 'other' in equality ? equality.other : undefined
  const fits = (ref: Ref) => ref.key === column?.name && (column.alias === null || ref.alias === column.alias)
  const candidates = own.filter(fits)
  // Without a name in front, the database itself refuses what could be two.
  return candidates.find((ref) => ref.tenant) ?? candidates[0] ?? around.find(fits)
}

const NOTHING: From = { refs: [], conditions: [], using: [] }

const join = (one: From, other: From): From => ({
  refs: [...one.refs, ...other.refs],
  conditions: [...one.conditions, ...other.conditions],
  using: [...one.using, ...other.using],
})

/** `is distinct from` is an operator and begins no clause. */
function indexOfWord(tokens: readonly Token[], words: string[]): number {
  return tokens.findIndex(
    (token, at) =>
      isWord(token, ...words) &&
      !(isWord(token, 'from') && isWord(tokens[at - 1], 'distinct') && isWord(tokens[at - 2], 'is', 'not')),
  )
}

function clause(tokens: readonly Token[], start: number, ends: string[]): Token[] {
  const rest = tokens.slice(start)
  const end = indexOfWord(rest, ends)
  return end < 0 ? rest : rest.slice(0, end)
}

function whereOf(tokens: readonly Token[]): Token[] {
  const start = indexOfWord(tokens, ['where'])
  return start < 0 ? [] : clause(tokens, start + 1, AFTER_FROM.slice(1))
}
