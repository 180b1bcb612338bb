import pg from 'pg'

const OIDS = { int8: 20, date: 1082, timestamp: 1114, timestamptz: 1184, numeric: 1700 }

/**
 * PostgreSQL's text of a timestamptz as ISO 8601 UTC with milliseconds, by slicing: `2026-01-31 12:00:00.123456+00`
 * becomes `2026-01-31T12:00:00.123Z`. Times stay text from the driver to the wire; making Date objects and turning
 * them back costs more than the rest of reading a row.
 */
export function isoFromPostgres(text: string): string {
  const length = text.length
  if (text.charCodeAt(length - 3) !== 43 || !text.endsWith('00') || text.charCodeAt(10) !== 32)
    return isoOfOddForm(text)
  const day = text.slice(0, 10)
  const time = text.slice(11, length - 3)
  if (time.length === 8) return `${day}T${time}.000Z`
  if (time.length >= 12) return `${day}T${time.slice(0, 12)}Z`
  return `${day}T${time.padEnd(12, '0')}Z`
}

const ODD_FORM = /^(\d{4,})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d+))?([+-])(\d\d)(?::(\d\d))?(?::(\d\d))?( BC)?$/

/** The slow path for rare forms: other time zones, years before 1 or beyond 9999, infinity. */
function isoOfOddForm(text: string): string {
  const match = ODD_FORM.exec(text)
  if (!match) return text
  const [
    ,
    year,
    month,
    day,
    hours,
    minutes,
    seconds,
    fraction = '',
    sign,
    byHours,
    byMinutes = 0,
    bySeconds = 0,
    before,
  ] = match
  const ms = Number(fraction.slice(0, 3).padEnd(3, '0'))
  const east = (Number(byHours) * 3_600 + Number(byMinutes) * 60 + Number(bySeconds)) * (sign === '-' ? -1 : 1)
  const date = new Date(0)
  // Year 1 BC is the astronomers' year 0.
  date.setUTCFullYear(before ? 1 - Number(year) : Number(year), Number(month) - 1, Number(day))
  date.setUTCHours(Number(hours), Number(minutes), Number(seconds) - east, ms)
  return Number.isNaN(date.getTime()) ? text : date.toISOString()
}

/** Type parsers of every connection: times as ISO text, dates as they are, bigint as number while it is exact. */
export const typeParsers: pg.CustomTypesConfig = {
  // The signature of pg's own type depends on the format asked for; ours is always text.
  getTypeParser: ((oid: number, format?: 'text' | 'binary') => {
    if (format !== 'binary') {
      if (oid === OIDS.timestamptz) return isoFromPostgres
      if (oid === OIDS.date || oid === OIDS.timestamp || oid === OIDS.numeric) return (text: string) => text
      if (oid === OIDS.int8) return parseBigint
    }
    return pg.types.getTypeParser(oid, format)
  }) as pg.CustomTypesConfig['getTypeParser'],
}

function parseBigint(text: string): number | string {
  const value = Number(text)
  return Number.isSafeInteger(value) ? value : text
}
