const LETTERS = Array.from('abcdefghijklmnopqrstuvwxyz0123456789.-_+')
/** Of longer ones there would be too many. */
const MOST_LETTERS = 64

/** All addresses that differ from this one by one letter: left out, added, replaced, or swapped with its neighbour. */
export function oneLetterOff(email: string): string[] {
  if (email.length > MOST_LETTERS) return []
  const found = new Set<string>()
  for (let at = 0; at <= email.length; at++) {
    const [before, after] = [email.slice(0, at), email.slice(at)]
    const rest = after.slice(1)
    for (const letter of LETTERS) found.add(`${before}${letter}${after}`).add(`${before}${letter}${rest}`)
    found.add(`${before}${rest}`).add(`${before}${rest.slice(0, 1)}${after.slice(0, 1)}${rest.slice(1)}`)
  }
  found.delete(email)
  return [...found].filter((each) => /^[^@]+@[^@]+$/.test(each))
}

/** The part before the @. */
export const localPartOf = (email: string): string => email.slice(0, email.lastIndexOf('@'))
