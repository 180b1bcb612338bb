/** A pattern for LIKE that finds a text anywhere in another; whatever stands in it means nothing but itself. */
export function containing(text: string): string {
  return `%${text.replace(/[\\%_]/g, '\\$&')}%`
}
