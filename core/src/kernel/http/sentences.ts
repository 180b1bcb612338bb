// Messages for invalid fields. They never contain a regular expression.

const TYPES: Record<string, string> = {
  string: 'text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  null: 'null',
}

/** `must be text or null`. */
export function sayType(types: readonly string[]): string {
  return `must be ${types.map((type) => TYPES[type] ?? type).join(' or ')}`
}

/** Nobody reads a longer list. */
const MOST_WORDS = 20

/** `must be one of: active, inactive`. */
export function sayWords(words: readonly unknown[], examples: readonly unknown[] = []): string {
  if (words.length === 1) return `must be ${word(words[0])}`
  if (words.length <= MOST_WORDS) return `must be one of: ${words.map(word).join(', ')}`
  return `must be one of ${words.length} words${such(examples)}`
}

const word = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value))

/** The message for a text that does not match a pattern: that of the schema, or an example. */
export function sayText({ says, examples }: { says?: string; examples?: readonly unknown[] }): string {
  return says ?? `does not have the form that is asked for${such(examples ?? [])}`
}

const such = (examples: readonly unknown[]) => (examples.length > 0 ? `, such as ${word(examples[0])}` : '')

const FORMATS: Record<string, string> = {
  uuid: 'must be a UUID',
  'date-time':
    'must be a moment such as 2026-01-31T12:00:00.000Z, in the years 1 to 9999, with Z or an offset from UTC',
  date: 'must be a date such as 2026-01-31',
  time: 'must be a time with an offset from UTC, such as 12:00:00Z',
  email: 'must be an e-mail address such as ada@example.com',
  uri: 'must be a URL such as https://example.com/',
  url: 'must be a URL such as https://example.com/',
  hostname: 'must be a host name such as example.com',
  ipv4: 'must be an IPv4 address such as 192.0.2.1',
  ipv6: 'must be an IPv6 address such as 2001:db8::1',
}

export function sayFormat(format: string): string {
  return FORMATS[format] ?? `must be a valid ${format}`
}
