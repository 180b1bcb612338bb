import { createReadStream } from 'node:fs'
import { StringDecoder } from 'node:string_decoder'
import { UsageError } from './failures.ts'

/** How a file of people is written. */
export type PeopleFormat = 'ndjson' | 'csv'

/** What stands for one person, or why it cannot be read. */
export interface PersonRecord {
  /** The number of its first line. */
  line: number
  /** The bytes of the file to its end. */
  bytes: number
  fields: Readonly<Record<string, unknown>> | null
  problem?: string
}

/** In characters. A person takes a few hundred. */
const LONGEST = 64 * 1024

interface Text {
  line: number
  bytes: number
  /** Null: too long. */
  text: string | null
}

/** The people of a file, one after the other, in constant memory. Throws UsageError for a header of CSV that is none. */
export async function* readPeople(file: string, format: PeopleFormat, columns: readonly string[]) {
  const chunks: AsyncIterable<Buffer> = createReadStream(file)
  yield* format === 'csv' ? readCsv(chunks, columns) : readNdjson(chunks)
}

async function* readNdjson(chunks: AsyncIterable<Buffer>): AsyncGenerator<PersonRecord> {
  for await (const { line, bytes, text } of splitLines(chunks, () => false)) {
    if (text?.trim() === '') continue
    const fields = text === null ? null : parseObject(text)
    const problem = problemOf(text) ?? (fields ? undefined : 'is no object of JSON')
    yield problem === undefined ? { line, bytes, fields } : { line, bytes, fields: null, problem }
  }
}

/** Null for what is none. The parser's own message would repeat what it has read. */
function parseObject(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null
  } catch {
    return null
  }
}

async function* readCsv(chunks: AsyncIterable<Buffer>, columns: readonly string[]): AsyncGenerator<PersonRecord> {
  let header: Header | undefined
  for await (const { line, bytes, text } of splitLines(chunks, hasOpenQuote)) {
    if (text?.trim() === '') continue
    if (!header) {
      header = readHeader(text ?? '', columns)
      continue
    }
    const values = text === null ? null : splitRow(text, header.separator)
    const problem =
      problemOf(text) ??
      (values === null
        ? 'has a quote that is not closed, or text beside one'
        : values.length === header.names.length
          ? undefined
          : `has ${values.length} columns where the header has ${header.names.length}`)
    if (problem !== undefined || !values) yield { line, bytes, fields: null, problem }
    else yield { line, bytes, fields: Object.fromEntries(header.names.map((name, at) => [name, values[at]])) }
  }
}

interface Header {
  names: string[]
  separator: string
}

function readHeader(text: string, columns: readonly string[]): Header {
  const separator = text.includes(',') || !text.includes(';') ? ',' : ';'
  const names = (splitRow(text, separator) ?? []).map((name) => name.trim().toLowerCase())
  const known = columns.join(', ')
  for (const name of names)
    if (!columns.includes(name))
      throw new UsageError(`the first line names a column ${JSON.stringify(name.slice(0, 40))}; there are: ${known}`)
  if (new Set(names).size < names.length) throw new UsageError('the first line names a column twice')
  if (!names.includes('email')) throw new UsageError('the first line has to name the columns, email among them')
  return { names, separator }
}

function problemOf(text: string | null): string | undefined {
  if (text === null) return `is longer than ${LONGEST} characters`
  return text.includes('\ufffd') ? 'is not in UTF-8' : undefined
}

/** A line break within quotes belongs to the text. */
const hasOpenQuote = (text: string) => (text.split('"').length - 1) % 2 === 1

/** The values of a row (RFC 4180); null when its quotes do not fit. */
function splitRow(text: string, separator: string): string[] | null {
  const values: string[] = []
  for (let at = 0; at <= text.length; at++) {
    if (text[at] === '"') {
      const end = endOfQuoted(text, at + 1)
      if (end === null || (end + 1 < text.length && text[end + 1] !== separator)) return null
      values.push(text.slice(at + 1, end).replaceAll('""', '"'))
      at = end + 1
      continue
    }
    const next = text.indexOf(separator, at)
    const end = next < 0 ? text.length : next
    const value = text.slice(at, end)
    if (value.includes('"')) return null
    values.push(value)
    at = end
  }
  return values
}

/** Where the quote is that closes; two of them stand for one. */
function endOfQuoted(text: string, from: number): number | null {
  for (let at = text.indexOf('"', from); at >= 0; at = text.indexOf('"', at + 2)) if (text[at + 1] !== '"') return at
  return null
}

/** Lines without their ends; `isOpen` tells of a text that the next line belongs to. Of one that is too long the rest is passed over. */
async function* splitLines(chunks: AsyncIterable<Buffer>, isOpen: (text: string) => boolean): AsyncGenerator<Text> {
  const decoder = new StringDecoder('utf8')
  let [line, bytes, first] = [0, 0, 1]
  let begun: string | null = ''
  // Of the line that has not ended yet; null: it is too long.
  let rest: string | null = ''
  const finish = (part: string): Text | undefined => {
    line++
    const whole = rest === null || begun === null ? null : `${begun}${rest}${part}`.replace(/\r$/, '')
    rest = ''
    if (whole !== null && whole.length <= LONGEST && isOpen(whole)) {
      begun = `${whole}\n`
      return undefined
    }
    begun = ''
    const found = { line: first, bytes, text: whole !== null && whole.length <= LONGEST ? whole : null }
    first = line + 1
    return found
  }
  for await (const chunk of chunks) {
    bytes += chunk.length
    const parts = decoder.write(chunk).split('\n')
    const last = parts.pop() ?? ''
    for (const part of parts) {
      const found = finish(line === 0 ? part.replace(/^\ufeff/, '') : part)
      if (found) yield found
    }
    rest = rest === null || rest.length + last.length > LONGEST ? null : rest + last
  }
  const end: string = decoder.end()
  if (rest !== '' || end !== '' || begun !== '') {
    const found = finish(end)
    // A quote is still open.
    yield found ?? { line: first, bytes, text: begun }
  }
}
