import { readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import { ConfigError } from '../kernel/config/config.ts'
import { errorCode } from '../kernel/system-errors.ts'

/**
 * The settings of a `.env` file; empty without one. A file that cannot be read completely is refused, by line and
 * without showing values: a setting that is silently dropped would start something else than intended. @throws
 * ConfigError
 */
export function readEnvFile(path: string): Record<string, string | undefined> {
  const bytes = readIfThere(path)
  if (bytes === undefined) return {}
  const text = decode(path, bytes).replace(/\r\n?/g, '\n')
  const problems = findProblems(text)
  if (problems.length > 0) throw new ConfigError(problems.map((problem) => `${path}, ${problem}`))
  return parseEnv(text)
}

function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path)
  } catch (error) {
    const code = errorCode(error)
    if (code === 'ENOENT') return undefined
    if (code === 'EISDIR')
      throw new ConfigError([
        `${path} is a folder, as a container makes one where there is no file to mount: put the file there, or remove it.`,
      ])
    throw new ConfigError([`${path} cannot be read (${code ?? 'unknown'}): let this user read it, or remove it.`])
  }
}

/** UTF-8, with or without a byte order mark, which the decoder takes off. */
function decode(path: string, bytes: Buffer): string {
  const isWide = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)
  if (isWide || bytes.includes(0))
    throw new ConfigError([`${path}, line 1: this is UTF-16 or no text at all. Save the file as UTF-8.`])
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new ConfigError([`${path}, line ${brokenLineOf(bytes)}: this is not UTF-8. Save the file as UTF-8.`])
  }
}

function brokenLineOf(bytes: Buffer): number {
  // Line numbers are the same in every encoding that contains ASCII, as this one does.
  const lines = bytes.toString('latin1').split('\n')
  const strict = new TextDecoder('utf-8', { fatal: true })
  return (
    1 +
    lines.findIndex((line) => {
      try {
        strict.decode(Buffer.from(line, 'latin1'))
        return false
      } catch {
        return true
      }
    })
  )
}

// Only blanks and tabs: Node treats other spaces, and a byte order mark, as part of the name.
const BLANK_OR_COMMENT = /^[ \t]*(?:#.*)?$/
const ASSIGNMENT = /^[ \t]*(?:export[ \t]+)?[A-Za-z_][\w.]*[ \t]*=\s*(.*)$/

/** A sentence for each line that is neither a comment nor a setting; a value in quotes may go over several lines. */
function findProblems(text: string): string[] {
  const problems: string[] = []
  const lines = text.split('\n')
  for (let number = 1; number <= lines.length; number++) {
    const line = lines[number - 1] ?? ''
    if (BLANK_OR_COMMENT.test(line)) continue
    const value = ASSIGNMENT.exec(line)?.[1]
    if (value === undefined) {
      problems.push(`line ${number}: this is neither a comment nor NAME=value.`)
      continue
    }
    const quote = /^["'`]/.exec(value)?.[0]
    if (quote === undefined) continue
    const closing = closingLineOf(lines, number, { quote, value })
    if (closing === undefined) problems.push(`line ${number}: the quotation mark is never closed.`)
    else if (!closing.isClean) problems.push(`line ${closing.number}: something stands after the quotation mark.`)
    number = closing?.number ?? number
  }
  return problems
}

/** The line in which a quoted value ends, and whether only a comment follows it. */
function closingLineOf(lines: readonly string[], from: number, { quote, value }: { quote: string; value: string }) {
  let rest = value.slice(1)
  for (let number = from; ; number++) {
    const end = rest.indexOf(quote)
    if (end >= 0) return { number, isClean: BLANK_OR_COMMENT.test(rest.slice(end + 1)) }
    const next = lines[number]
    if (next === undefined) return undefined
    rest = next
  }
}
