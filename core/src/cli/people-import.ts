import { stat } from 'node:fs/promises'
import { extname } from 'node:path'
import type { Core } from '../kernel/core.ts'
import { createContext, noOrigin, systemActor } from '../kernel/create-context.ts'
import { errorCode } from '../kernel/system-errors.ts'
import {
  ENTRY_FIELDS,
  type Entry,
  type Imported,
  type Importer,
  NoSuchPlace,
  openImporter,
  readEntry,
} from '../modules/auth/index.ts'
import { type Command, say, type Values } from './command.ts'
import { UsageError } from './failures.ts'
import { counted } from './migrate.ts'
import { withCore } from './own-command.ts'
import { type PeopleFormat, readPeople } from './people-file.ts'
import { type Progress, showProgress } from './progress.ts'

/** People that are written together: enough for speed, and few enough that nobody waits for their tenant. */
const BATCH = 100

export const peopleImport: Command = {
  summary: 'take people over from another application, with their password hashes',
  help: (
    cli,
  ) => `Usage: ${cli} people import <file> [--tenant <slug|id>] [--role <name|id>] [--format ndjson|csv] [--dry-run] [--verbose]

Adds people with the password hashes that Flask, Django and others wrote, so that everybody signs in as before; the next
sign-in hashes the password anew. A file of NDJSON has an object on each line, one of CSV names its columns in the first:
  email, name, password_hash, locale, timezone, email_verified (true or false), status (active or disabled), tenant, role
and in NDJSON also "memberships": [{"tenant": "acme", "role": "manager"}, ...]. All but email may be left out. Hashes: argon2,
bcrypt, and scrypt and PBKDF2 as Werkzeug and Django write them. Who has none sets a password by "forgot password".

Who is there already keeps name, password and roles, and only joins the tenants that they are not in; an account whose address
is not confirmed joins none, nor does an operator's. Nobody is mailed that they were imported. Lines that are wrong are named and make the exit code 1; the others are taken. May be interrupted at any
moment, even killed: run it again to go on.

  --tenant      where people join whose line names no tenant
  --role        what they hold there whose line names no role (default viewer)
  --format      default: by the name of the file, .ndjson, .jsonl or .csv
  --dry-run     write nothing, and say what would happen
  --verbose     say what happens to each person`,
  options: {
    tenant: { type: 'string' },
    role: { type: 'string' },
    format: { type: 'string' },
    'dry-run': { type: 'boolean' },
    verbose: { type: 'boolean' },
  },
  operands: 1,
  async run(values, options, [file]) {
    if (file === undefined) throw new UsageError('a file is required')
    const source = { file, format: readFormat(values, file), bytes: await sizeOf(file) }
    const interrupt = new AbortController()
    return withCore(options, (core) => importAll(core, { source, values, stopping: interrupt.signal }), interrupt)
  },
}

function readFormat({ format }: Values, file: string): PeopleFormat {
  const name = format ?? { '.ndjson': 'ndjson', '.jsonl': 'ndjson', '.csv': 'csv' }[extname(file).toLowerCase()]
  if (name === 'ndjson' || name === 'csv') return name
  throw new UsageError(
    format === undefined
      ? 'the name of the file does not tell its format: give --format'
      : '--format takes ndjson or csv',
  )
}

async function sizeOf(file: string): Promise<number> {
  const found = await stat(file).catch((error: unknown) => {
    throw new UsageError(`the file cannot be read (${errorCode(error) ?? 'unknown'})`)
  })
  if (!found.isFile()) throw new UsageError('the file is none')
  return found.size
}

interface Work {
  source: { file: string; format: PeopleFormat; bytes: number }
  values: Values
  stopping: AbortSignal
}

async function importAll(core: Core, { source, values, stopping }: Work): Promise<number> {
  const isDry = values['dry-run'] === true
  const importer = await open(core, values, isDry)
  const progress = showProgress({ things: null, bytes: source.bytes })
  const report = createReport({ progress, isVerbose: values.verbose === true, isDry })
  try {
    await takeAll(importer, { source, report, progress, stopping })
  } finally {
    progress.end()
  }
  for (const line of report.summary()) say(line)
  if (stopping.aborted) return say('Interrupted. Nothing is lost: run it again to go on.') + 1
  return report.hasFailures() ? 1 : 0
}

async function open(core: Core, { tenant, role }: Values, isDry: boolean): Promise<Importer> {
  if (!core.registry.modules.some(({ name }) => name === 'auth'))
    throw new UsageError('this application has no people who sign in: the module auth is not among its modules')
  const ctx = createContext(core, { tenant: null, storeId: null, actor: systemActor, origin: noOrigin })
  try {
    return await openImporter(ctx, { tenant: given(tenant), role: given(role), isDry })
  } catch (error) {
    throw error instanceof NoSuchPlace ? new UsageError(error.message) : error
  }
}

const given = (value: Values[string]) => (typeof value === 'string' && value !== '' ? value : null)

interface Steps extends Pick<Work, 'source' | 'stopping'> {
  report: Report
  progress: Progress
}

async function takeAll(importer: Importer, { source, report, progress, stopping }: Steps): Promise<void> {
  let batch = new Map<string, { line: number; entry: Entry }>()
  let read = 0
  const flush = async () => {
    const lines = [...batch.values()]
    batch = new Map()
    const results = lines.length === 0 ? [] : await importer.take(lines.map(({ entry }) => entry))
    for (const [index, result] of results.entries()) {
      const line = lines[index]
      if (line) report.imported(line.line, line.entry, result)
    }
  }
  for await (const { line, bytes, fields, problem } of readPeople(source.file, source.format, ENTRY_FIELDS)) {
    if (stopping.aborted) break
    const entry = fields ? readEntry(fields) : { problems: [problem ?? 'cannot be read'] }
    if ('problems' in entry) report.refused(line, entry.problems)
    else {
      // Somebody who stands there twice is there the second time.
      if (batch.has(entry.email)) await flush()
      batch.set(entry.email, { line, entry })
    }
    progress.settled(bytes - read)
    read = bytes
    if (batch.size >= BATCH) await flush()
  }
  if (!stopping.aborted) await flush()
}

type Report = ReturnType<typeof createReport>

interface Reporting {
  progress: Progress
  isVerbose: boolean
  isDry: boolean
}

function createReport({ progress, isVerbose, isDry }: Reporting) {
  const counts = { added: 0, withPassword: 0, exists: 0, joined: 0, failed: 0 }
  return {
    refused(line: number, problems: readonly string[]): void {
      counts.failed++
      progress.note(`Line ${line}: ${problems.join('; ')}.`)
    },
    imported(line: number, entry: Entry, result: Imported): void {
      const { outcome, hasPassword, joined } = result
      counts.joined += joined.length
      counts[outcome]++
      if (outcome === 'added' && hasPassword) counts.withPassword++
      if (outcome === 'failed' || isVerbose) progress.note(`Line ${line}: ${describe(entry, result, isDry)}.`)
    },
    hasFailures: () => counts.failed > 0,
    summary(): string[] {
      const { added, withPassword, exists, joined, failed } = counts
      return [
        `${isDry ? 'Would add' : 'Added'} ${people(added)}, ${withPassword} with a password; ${exists} existed already.`,
        `${isDry ? 'Would add' : 'Added'} ${counted(joined, 'membership')}.`,
        ...(failed > 0
          ? [
              `${counted(failed, 'line')} ${isDry ? 'would not be taken' : failed === 1 ? 'was not taken' : 'were not taken'}.`,
            ]
          : []),
      ]
    },
  }
}

function describe({ email }: Entry, { outcome, joined, reason = 'failed' }: Imported, isDry: boolean): string {
  const where = joined.join(', ')
  if (outcome === 'failed') return where === '' ? reason : `${reason}; ${email} has joined ${where} all the same`
  if (outcome === 'added') return `${email} ${isDry ? 'would be ' : ''}added${where && ` to ${where}`}`
  return `${email} exists${where && `, ${isDry ? 'would join' : 'joins'} ${where}`}`
}

const people = (count: number) => `${count} ${count === 1 ? 'person' : 'people'}`
