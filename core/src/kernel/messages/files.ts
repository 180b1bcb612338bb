import { readdirSync, readFileSync } from 'node:fs'
import type { Module } from '../module.ts'
import { errorCode } from '../system-errors.ts'
import { canonicalLocale } from '../text/places.ts'

/** What one module says in one language. */
export interface MessageFile {
  readonly module: string
  readonly language: string
  /** By code. */
  readonly texts: ReadonlyMap<string, string>
  /** Comes with the core, whose own tests have parsed and compared all of it: a start need not. */
  readonly isOwn: boolean
}

/** Everything that comes with the core stands below this folder. */
const OWN = new URL('../../', import.meta.url).href

const CODE = /^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$/
/** A file has no text of this length in any good language; a mail stays far below 100 kB. */
const LONGEST = 10_000

/** The files of all modules, in the order of the modules. */
export function readMessageFiles(modules: readonly Module[], problems: string[]): MessageFile[] {
  return modules.flatMap(({ name, messages }) => {
    if (!messages) return []
    if (!messages.pathname.endsWith('/')) {
      problems.push(`the messages of module ${name} must end in /, as a folder: ${messages}`)
      return []
    }
    return list(messages, name, problems).flatMap((file) => readFile(new URL(file, messages), file, name, problems))
  })
}

function list(folder: URL, module: string, problems: string[]): string[] {
  try {
    return readdirSync(folder)
      .filter((file) => file.endsWith('.json'))
      .sort()
  } catch (error) {
    problems.push(`the messages of module ${module} cannot be read: ${errorCode(error)} (${folder})`)
    return []
  }
}

function readFile(url: URL, file: string, module: string, problems: string[]): MessageFile[] {
  const language = file.slice(0, -'.json'.length)
  if (canonicalLocale(language) !== language) {
    problems.push(`module ${module} has messages in the unknown language ${language}`)
    return []
  }
  const texts = new Map<string, string>()
  try {
    for (const [code, text] of entriesOf(readFileSync(url, 'utf8'))) {
      if (!CODE.test(code)) problems.push(`message ${code} (${module}) has a code that is not like mail.rent.subject`)
      else if (typeof text !== 'string' || text.trim() === '')
        problems.push(`message ${code} in ${language} (${module}) has no text`)
      else if (text.length > LONGEST)
        problems.push(`message ${code} in ${language} (${module}) is longer than ${LONGEST} characters`)
      else texts.set(code, text)
    }
  } catch (error) {
    problems.push(
      `${file} of module ${module} is no file of messages: ${error instanceof Error ? error.message : error}`,
    )
  }
  return [{ module, language, texts, isOwn: url.href.startsWith(OWN) }]
}

function entriesOf(json: string): [string, unknown][] {
  const value: unknown = JSON.parse(json)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('it holds no object')
  const entries = Object.entries(value)
  // JSON.parse keeps the last of two entries of one name; who merged the file meant to keep both.
  const strings = json.match(/"(?:[^"\\]|\\.)*"/g) ?? []
  const isFlat = entries.every(([, text]) => typeof text === 'string')
  if (isFlat && strings.length !== 2 * entries.length) throw new Error('a code stands there twice')
  return entries
}
