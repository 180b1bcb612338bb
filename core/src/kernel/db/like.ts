/** A LIKE pattern that finds a text anywhere; its special characters are escaped. */
export function containing(text: string): string {
  return `%${text.replace(/[\\%_]/g, '\\$&')}%`
}
