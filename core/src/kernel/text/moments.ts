const MOMENT = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-](?:0\d|1[0-5]):[0-5]\d)$/
const DATE = /^(\d{4})-(\d\d)-(\d\d)$/
const EARLIEST_MS = Date.parse('0001-01-01T00:00:00.000Z')
const LATEST_MS = Date.parse('9999-12-31T23:59:59.999Z')

/**
 * True for a moment as RFC 3339 writes it that the database can hold and that is written back with four digits of a
 * year: from the year 1 to 9999 in UTC. A leap second is none: neither JavaScript nor PostgreSQL keeps it.
 */
export function isMoment(text: string): boolean {
  if (!MOMENT.test(text) || !isDate(text.slice(0, 10), { fromYear: 0 })) return false
  const ms = Date.parse(text.toUpperCase())
  // The day at which a clock may show 24:00 is the next one.
  return ms >= EARLIEST_MS && ms <= LATEST_MS && !/[Tt]24/.test(text)
}

/** True for a day of the calendar, from the year 1 on: the database knows no year 0. */
export function isDate(text: string, { fromYear = 1 } = {}): boolean {
  const [, year = '', month = '', day = ''] = DATE.exec(text) ?? []
  if (year === '' || Number(year) < fromYear) return false
  const date = new Date(0)
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day))
  return date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(day)
}

/** A moment in the one form that it has on the wire; what is none stays as it is. */
export function tidyMoment(text: string): string {
  return isMoment(text) ? new Date(Date.parse(text.toUpperCase())).toISOString() : text
}
