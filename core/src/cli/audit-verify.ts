import { createReadStream } from 'node:fs'
import { pipeline, Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { errorCode } from '../kernel/system-errors.ts'
import {
  type CheckpointKey,
  checkExport,
  type ExportVerdict,
  type Finding,
  readLines,
  readPublicKey,
} from '../modules/audit/index.ts'
import { type Command, say, type Values } from './command.ts'
import { UsageError } from './failures.ts'
import { counted } from './migrate.ts'

export const auditVerify: Command = {
  summary: 'check an export of the audit log, without a database',
  help: (cli) => `Usage: ${cli} audit verify <file> [--key <public key>]...

Reads what GET /api/v1/audit/export?format=ndjson&proof=true gave (also compressed by gzip; - reads standard input) and
checks that every record is as it was sealed and that none is missing, added or elsewhere. Names the first that is wrong.
Needs no database, no settings and no network. Ends with 0 when the file is valid, 1 when it is not, 2 when it cannot be
read.

  --key         a public key that GET /api/v1/audit/keys showed: the last seal must be signed by it. Give it more than
                once to allow several. Without it the key is taken from the file, and whoever made that up chose it.`,
  options: { key: { type: 'string', multiple: true } },
  operands: 1,
  async run(values, _options, [file]) {
    const keys = readKeys(values)
    if (file === undefined) throw new UsageError('a file is required, or - for standard input')
    const verdict = await checkExport(readLines(await open(file)), keys)
    const found = verdict.first_invalid
    if (found) say(describeFinding(found))
    else say(describeValid(verdict))
    for (const line of describeCoverage(verdict)) say(line)
    if (keys.length === 0 && verdict.signed_by.length > 0) say(KEY_OF_FILE)
    return found ? 1 : 0
  },
}

const KEY_OF_FILE = `Warning: the key was taken from the file itself, so this shows that the file fits together, not who made it. Compare the
key with GET /api/v1/audit/keys, or give it with --key.`

function readKeys({ key }: Values): CheckpointKey[] {
  return (Array.isArray(key) ? key : []).map((text) => {
    const read = readPublicKey(String(text))
    if (!read) throw new UsageError('--key takes a public key: 32 bytes in base64url, 43 characters')
    return read
  })
}

/** The file's bytes, decompressed when they are compressed. */
async function open(file: string): Promise<AsyncIterable<Uint8Array>> {
  const source: AsyncIterable<Buffer> = file === '-' ? process.stdin : createReadStream(file)
  const chunks = source[Symbol.asyncIterator]()
  const first = await chunks.next().catch((error: unknown) => {
    throw new UsageError(`the file cannot be read (${errorCode(error) ?? 'unknown'})`)
  })
  const whole = Readable.from(joined(first, chunks), { objectMode: false })
  return !first.done && first.value[0] === 0x1f && first.value[1] === 0x8b ? unzipped(whole) : whole
}

async function* unzipped(packed: Readable): AsyncGenerator<Uint8Array> {
  const gunzip = createGunzip()
  // The reader gets the error; nobody else needs it.
  pipeline(packed, gunzip, () => {})
  try {
    yield* gunzip
  } catch (error) {
    throw new UsageError(
      `the file cannot be decompressed (${errorCode(error) ?? 'unknown'}): it is damaged, or not whole`,
    )
  }
}

async function* joined(first: IteratorResult<Buffer>, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  for (let chunk = first; !chunk.done; chunk = await rest.next()) yield chunk.value
}

function describeValid({ checked, seals, tenant_id }: ExportVerdict): string {
  return `Valid: ${counted(checked, 'record')} of the tenant ${tenant_id} as they were when ${counted(seals, 'seal')} sealed them.`
}

function describeFinding({ problem, record_id, position, line, detail }: Finding): string {
  const what =
    problem === 'seal'
      ? 'a seal is wrong'
      : `${record_id === null ? 'a record' : `the record ${record_id}`} was ${problem}`
  const where = [position === null ? [] : `position ${position}`, line === undefined ? [] : `line ${line}`]
    .flat()
    .join(', ')
  return `Not valid: ${what}${where === '' ? '' : ` (${where})`}.\n${detail}.`
}

function describeCoverage({ covers, made, signed_by, first_invalid, checked }: ExportVerdict): string[] {
  const lines: [string, string][] = []
  if (first_invalid && checked > 0) lines.push(['Right so far', counted(checked, 'record')])
  if (covers) lines.push(['Positions', covers.from > covers.to ? 'none' : `${covers.from} to ${covers.to}`])
  if (made && !first_invalid) lines.push(['Made', `${made.first} to ${made.last}`])
  for (const { key_id, public_key } of signed_by)
    lines.push(['Signed by', `${key_id} (${public_key ?? 'key not in the file'})`])
  return lines.map(([name, text]) => `  ${name.padEnd(12)}  ${text}`)
}
