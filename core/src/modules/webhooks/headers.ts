import { at, type Ctx, type FieldProblem, type SealedKind } from '#kernel'
import { MAX_HEADERS } from './schema.ts'
import type { WebhookRow } from './table.ts'

/** Names that a request of ours has itself, or that would change how it travels. */
const RESERVED = new Set(
  'accept accept-encoding age connection content-encoding content-length content-location content-md5 content-range content-type cookie cookie2 date expect forwarded host http2-settings keep-alive origin proxy-authenticate proxy-authorization proxy-connection range referer set-cookie te trailer transfer-encoding upgrade user-agent via'.split(
    ' ',
  ),
)
const RESERVED_PREFIXES = ['webhook-', 'proxy-', 'sec-', 'x-forwarded-', ':']
const NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/
const MAX_BYTES = 8 * 1024

export type HeaderColumns = Pick<WebhookRow, 'header_names' | 'headers'>
/** Stands for a value where headers are shown; in a change it leaves the value as it is. */
export const HIDDEN = '***'
export const NO_HEADERS: HeaderColumns = { header_names: [], headers: null }

const contextOf = (id: string) => `webhook_headers:${id}`

/** Problems with the names in `headers` of a body, whatever it holds. */
export function* problemsOfHeaders({ headers }: { readonly headers?: unknown }): Iterable<FieldProblem> {
  if (typeof headers !== 'object' || headers === null) return
  const seen = new Set<string>()
  for (const name of Object.keys(headers)) {
    const lower = name.toLowerCase()
    const place = `headers/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`
    if (!NAME.test(name)) yield at(place, 'is not the name of a header')
    else if (RESERVED.has(lower) || RESERVED_PREFIXES.some((prefix) => lower.startsWith(prefix)))
      yield at(place, 'is a header that cannot be set')
    else if (seen.has(lower)) yield at(place, 'stands there twice')
    seen.add(lower)
  }
  const problem = problemOfSize(Object.entries(headers))
  if (problem) yield at('headers', problem)
}

/** The headers of a webhook; null: they were sealed with an APP_SECRET that is no longer configured. */
export function openHeaders(
  { secrets }: Pick<Ctx, 'secrets'>,
  { id, headers }: WebhookRow,
): Record<string, string> | null {
  if (headers === null) return {}
  try {
    return JSON.parse(secrets.openText(headers, contextOf(id))) as Record<string, string> // sealed below
  } catch {
    return null
  }
}

/** The headers with those of a change in their place; null takes one away, `***` leaves one. Names differ whatever their case. */
export function withHeaders(
  before: Readonly<Record<string, string>>,
  change: Readonly<Record<string, string | null>>,
): Record<string, string> {
  const known = new Set(Object.keys(before).map((name) => name.toLowerCase()))
  const isKept = (name: string, value: string | null) => value === HIDDEN && known.has(name.toLowerCase())
  const given = Object.entries(change).filter(([name, value]) => !isKept(name, value))
  const changed = new Set(given.map(([name]) => name.toLowerCase()))
  const kept = Object.entries(before).filter(([name]) => !changed.has(name.toLowerCase()))
  const added = given.filter((each): each is [string, string] => each[1] !== null)
  return Object.fromEntries([...kept, ...added])
}

/** Of headers whose values are not known: as they were shown, written back to where they are not kept. */
export const problemsOfHidden = (headers: Readonly<Record<string, string>>): FieldProblem[] =>
  Object.entries(headers).flatMap(([name, value]) =>
    value === HIDDEN ? [at(`headers/${name}`, 'must be given anew: its value is not known here')] : [],
  )

/** Why these are too many, as the end of a sentence; null: they are not. */
export function problemOfAll(headers: Readonly<Record<string, string>>): string | null {
  const entries = Object.entries(headers)
  return entries.length > MAX_HEADERS ? `must be ${MAX_HEADERS} at most` : problemOfSize(entries)
}

function problemOfSize(entries: readonly [name: string, value: unknown][]): string | null {
  const bytes = entries.reduce(
    (sum, [name, value]) => sum + name.length + (typeof value === 'string' ? value.length : 0),
    0,
  )
  return bytes > MAX_BYTES ? `must have ${MAX_BYTES / 1024} KiB at most together` : null
}

export function sealHeaders(
  { secrets }: Pick<Ctx, 'secrets'>,
  id: string,
  headers: Readonly<Record<string, string>>,
): HeaderColumns {
  const header_names = Object.keys(headers)
  if (header_names.length === 0) return NO_HEADERS
  return { header_names, headers: secrets.seal(JSON.stringify(headers), contextOf(id)) }
}

export const sealedHeaders: SealedKind = {
  name: 'headers of webhooks',
  async samples({ db }) {
    const ends = ['asc', 'desc'].map(
      (order) => `(select id, headers from webhooks where headers is not null order by id ${order} limit 1)`,
    )
    const rows = await db.systemQuery<{ id: string; headers: string }>(ends.join(' union '))
    return rows.map(({ id, headers }) => ({ sealed: headers, context: contextOf(id) }))
  },
}
