type Maybe = string | null | undefined

/** The smallest of the given texts, ignoring null and undefined: ids and times compare as texts. */
export function least(one: string, ...others: Maybe[]): string
export function least(...texts: Maybe[]): string | null
export function least(...texts: Maybe[]): string | null {
  return given(texts).reduce<string | null>((found, text) => (found === null || text < found ? text : found), null)
}

/** The greatest of the given texts, ignoring null and undefined. */
export function greatest(one: string, ...others: Maybe[]): string
export function greatest(...texts: Maybe[]): string | null
export function greatest(...texts: Maybe[]): string | null {
  return given(texts).reduce<string | null>((found, text) => (found === null || text > found ? text : found), null)
}

const given = (texts: Maybe[]) => texts.filter((text) => text !== null && text !== undefined)
