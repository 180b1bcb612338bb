import type { Answered } from '../request.ts'

const ID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g

/** Those of the secrets, ids and texts, that an answer shows; `sent` was in the request and does not count. */
export function secretsIn(
  { text, headers }: Answered,
  sent: string | null,
  secrets: readonly string[],
): readonly string[] {
  let whole = `${text}\n${JSON.stringify(headers)}`.toLowerCase()
  if (sent) whole = whole.replaceAll(sent.toLowerCase(), '')
  const { ids, texts } = sortedOut(secrets)
  // Of thousands of ids hardly any stands in an answer.
  const shown = whole.match(ID)?.filter((id) => ids.has(id)) ?? []
  return [...shown, ...texts.filter((secret) => whole.includes(secret))]
}

interface SortedOut {
  ids: ReadonlySet<string>
  texts: readonly string[]
}

const known = new WeakMap<readonly string[], SortedOut>()

/** Once for each list: thousands of answers are held against the same one. */
function sortedOut(secrets: readonly string[]): SortedOut {
  const found = known.get(secrets)
  if (found) return found
  const sorted = { ids: new Set(secrets.filter(isId)), texts: secrets.filter((secret) => !isId(secret)) }
  known.set(secrets, sorted)
  return sorted
}

const isId = (text: string) => text.length === 36 && text.match(ID)?.[0] === text
