/** A piece of SQL: names, bind parameters, parentheses with what they hold, and everything else as text. */
export type Token =
  | { kind: 'name'; text: string; quoted: boolean }
  | { kind: 'param'; index: number }
  | { kind: 'group'; items: Token[] }
  | { kind: 'other'; text: string }

// In order: space and comments, quoted names, strings, dollar-quoted strings, parameters, words, numbers, operators.
const PIECE =
  /(?<space>\s+|--[^\n]*|\/\*[\s\S]*?\*\/)|"(?<quoted>(?:[^"]|"")+)"|(?<string>[eE]?'(?:[^'\\]|''|\\.)*'|\$(?<tag>\w*)\$[\s\S]*?\$\k<tag>\$)|\$(?<param>\d+)|(?<word>[a-zA-Z_]\w*)|(?<number>\d[\d.]*)|(?<other>::|[<>=!~@#%^&|?*/+-]+|.)/gy

/** Reads SQL into a tree of parentheses. Throws on parentheses that do not match. */
export function readTokens(sql: string): Token[] {
  const stack: Token[][] = [[]]
  for (const { groups } of sql.matchAll(PIECE)) {
    const { space, quoted, string, param, word, number, other } = groups ?? {}
    if (space !== undefined) continue
    if (other === '(') {
      stack.push([])
      continue
    }
    if (other === ')') {
      const items = stack.pop()
      const outer = stack.at(-1)
      if (!items || !outer) throw new Error(`parentheses do not match in: ${sql}`)
      outer.push({ kind: 'group', items })
      continue
    }
    const here = stack.at(-1)
    if (quoted !== undefined) here?.push({ kind: 'name', text: quoted.replaceAll('""', '"'), quoted: true })
    else if (word !== undefined) here?.push({ kind: 'name', text: word.toLowerCase(), quoted: false })
    else if (param !== undefined) here?.push({ kind: 'param', index: Number(param) })
    else here?.push({ kind: 'other', text: string ?? number ?? other ?? '' })
  }
  const [all] = stack
  if (!all || stack.length > 1) throw new Error(`parentheses do not match in: ${sql}`)
  return all
}

/** True for a keyword; a quoted name is never one. */
export function isWord(token: Token | undefined, ...words: string[]): boolean {
  return token?.kind === 'name' && !token.quoted && words.includes(token.text)
}

export function isText(token: Token | undefined, text: string): boolean {
  return token?.kind === 'other' && token.text === text
}

/** Cuts at every token that `separates`, which is left out. */
export function split(tokens: readonly Token[], separates: (token: Token, at: number) => boolean): Token[][] {
  const parts: Token[][] = [[]]
  tokens.forEach((token, at) => {
    if (separates(token, at)) parts.push([])
    else parts.at(-1)?.push(token)
  })
  return parts
}

export const byComma = (tokens: readonly Token[]) => split(tokens, (token) => isText(token, ','))

/** Parentheses that hold a statement of their own. */
export function isStatement(items: readonly Token[]): boolean {
  const [first, second] = items
  if (first?.kind === 'group' && (!second || isWord(second, 'union', 'intersect', 'except', 'order', 'limit')))
    return isStatement(first.items)
  return isWord(first, 'select', 'with', 'insert', 'update', 'delete', 'values')
}
