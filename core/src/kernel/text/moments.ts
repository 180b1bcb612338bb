const MOMENT = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-](?:0\d|1[0-5]):[0-5]\d)$/
const DATE = /^(\d{4})-(\d\d)-(\d\d)$/
const EARLIEST_MS = Date.parse('0001-01-01T00:00:00.000Z')
const LATEST_MS = Date.parse('9999-12-31T23:59:59.999Z')

/**
 * True for an RFC 3339 time that the database can store and that has a year of four digits in UTC: from 1 to 9999. Leap
 * seconds are refused, because neither JavaScript nor PostgreSQL stores them.
 */
export function isMoment(text: string): boolean {
  if (!MOMENT.test(text) || !isDate(text.slice(0, 10), { fromYear: 0 })) return false
  const ms = Date.parse(text.toUpperCase())
  // 24:00 belongs to the next day.
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

/** A time in the form of the wire; anything else stays as it is. */
export function tidyMoment(text: string): string {
  return isMoment(text) ? new Date(Date.parse(text.toUpperCase())).toISOString() : text
}
