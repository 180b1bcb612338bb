const CANONICAL = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const ANYWHERE = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi

/** Whether a value is a UUID as PostgreSQL writes it: it reads other spellings of the same one too. */
export const isCanonicalId = (value: unknown): value is string =>
  typeof value === 'string' && value.length === 36 && CANONICAL.test(value)

/** The ids within a text, in small letters. */
export const idsIn = (text: string): string[] =>
  mayHaveIds(text) ? (text.match(ANYWHERE) ?? []).map((id) => id.toLowerCase()) : []

/** The text with other ids in it. */
export const replaceIds = (text: string, replace: (id: string) => string): string =>
  mayHaveIds(text) ? text.replaceAll(ANYWHERE, (id) => replace(id.toLowerCase())) : text

const mayHaveIds = (text: string) => text.length >= 36 && text.includes('-')
