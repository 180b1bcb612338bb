type Maybe = string | null | undefined

/** The first of texts in their order, of those that there are: ids and moments are compared as they are written. */
export function least(one: string, ...others: Maybe[]): string
export function least(...texts: Maybe[]): string | null
export function least(...texts: Maybe[]): string | null {
  return given(texts).reduce<string | null>((found, text) => (found === null || text < found ? text : found), null)
}

/** The last of texts in their order, of those that there are. */
export function greatest(one: string, ...others: Maybe[]): string
export function greatest(...texts: Maybe[]): string | null
export function greatest(...texts: Maybe[]): string | null {
  return given(texts).reduce<string | null>((found, text) => (found === null || text > found ? text : found), null)
}

const given = (texts: Maybe[]) => texts.filter((text) => text !== null && text !== undefined)
