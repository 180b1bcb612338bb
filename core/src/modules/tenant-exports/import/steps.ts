import { type Ctx, type ImportTools, sqlState } from '#kernel'
import type { Manifest } from '../content/manifest.ts'
import type { Row } from '../reading/json.ts'
import { type Part, partsOf } from '../reading/lines.ts'
import type { TableToRead } from '../reading/match-tables.ts'
import type { Archive } from '../reading/open-archive.ts'
import type { ExportedPeople } from '../reading/read-people.ts'
import { readRow } from '../reading/read-row.ts'
import { ImportRefused } from '../reading/refused.ts'
import { readFileLines } from '../reading/verify.ts'
import type { Identities } from './identities.ts'
import { scanFiles, writeFiles } from './import-files.ts'
import { insertRows, updateImportStep } from './import-queries.ts'

/** The last step, which is not called like a table. */
export const COMPLETION = ' completion'
/** Rows that are written in one transaction. */
const ROWS = { bytes: 1024 * 1024, most: 2_000 }
/** Files are copied before it begins. */
const FILES_AT_ONCE = { bytes: 1024 * 1024, most: 20 }

/** Told how far it is. */
export interface ReadingProgress {
  /** What begins now, and how much of it there is. */
  begins(what: 'check' | 'write', bytes: number): void
  passed(bytes: number): void
  note(text: string): void
}

export interface ImportOptions {
  path: string
  /** In place of the slug that the tenant had. */
  slug: string | null
  /** The address of who is to own it, in place of who owned it. */
  owner: string | null
  /** The code of its plan; null: what a new tenant gets. */
  plan: string | null
  /** Mails everybody their invitation at the end, and not the owner alone. */
  invitesAll: boolean
  isDry: boolean
  stopping: AbortSignal
  progress: ReadingProgress
}

/** An import as it is checked and written. */
export interface Import {
  archive: Archive
  manifest: Manifest
  tables: readonly TableToRead[]
  people: ExportedPeople
  options: ImportOptions
}

/** Options of a transaction that writes what no request may. */
export const asSystem = (tenantId: string) => ({ role: 'system', tenantId }) as const // a word is a type

export const toolsOf = (
  { secrets, clock, config, registry }: Ctx,
  hasAccount: ImportTools['hasAccount'],
): ImportTools => ({ secrets, clock, config, registry, hasAccount })

/** What a row of every table says here besides. */
export interface Writing {
  identities: Identities
  /** What the tenant's own row says whatever the export says. */
  tenant: Row
}

/** Writes the rows of a table that are not written yet, a part of them in each transaction. */
export async function writeTable(
  ctx: Ctx,
  { archive, manifest, options }: Import,
  { table, linesDone, writing }: { table: TableToRead; linesDone: number; writing: Writing },
): Promise<void> {
  const tenantId = manifest.tenant.id
  const hasFiles = table.name === 'files'
  const files = readFileLines(archive, linesDone)
  const content = await archive.read(table.told.entry)
  for await (const part of partsOf(content, { from: linesDone, ...(hasFiles ? FILES_AT_ONCE : ROWS) })) {
    options.stopping.throwIfAborted()
    let rows = part.lines.map((line) => readRow(table, line)).filter((row) => row !== null)
    if (hasFiles) rows = await writeFiles(ctx, { archive, tenantId, files, passed: options.progress.passed }, rows)
    await ctx.transaction(async (ctx) => {
      await goOn(ctx, { tenantId, step: table.name, part })
      await insert(ctx, { table, tenantId, writing }, rows)
      if (hasFiles) await scanFiles(ctx, rows)
    }, asSystem(tenantId))
    options.progress.passed(part.bytes)
  }
}

/** Each part is done once, whoever else is at it. */
async function goOn({ tx, clock }: Ctx, { tenantId, step, part }: { tenantId: string; step: string; part: Part }) {
  const from = { tenant_id: tenantId, step, lines_done: part.from }
  const lines_done = part.from + part.lines.length
  if (!(await updateImportStep(tx, from, { lines_done, updated_at: clock.now() }))) throw elsewhere()
}

export const elsewhere = () => new ImportRefused('another process imports this tenant')

/** Throws `ImportRefused` where a row is another tenant's, or is refused by the database. */
async function insert(
  ctx: Ctx,
  { table, tenantId, writing }: { table: TableToRead; tenantId: string; writing: Writing },
  read: readonly Row[],
): Promise<void> {
  const { identities, tenant } = writing
  const { here, rule, name } = table
  const tools = toolsOf(ctx, identities.hasAccount)
  const rows = (await identities.map(ctx, table, read)).flatMap((row) => {
    if (row[here.tenant_key] !== tenantId)
      throw new ImportRefused(`a row of the table ${name} does not belong to the tenant`)
    const anew = rule.anew ? rule.anew(tools, row) : {}
    return anew ? [{ ...row, ...anew, ...(name === 'tenants' ? tenant : {}) }] : []
  })
  if (rows.length === 0) return
  const columns = Object.keys(rows[0] ?? {})
  await insertRows(ctx.tx, { table: name, columns, rows: rows.map((row) => JSON.stringify(row)) }).catch(
    (error: Error) => {
      // What another attempt may cure is not the export's fault.
      if (/^(?:22|23)/.test(sqlState(error) ?? ''))
        throw new ImportRefused(`a row of the table ${name} does not fit: ${error.message}`, { cause: error })
      throw error
    },
  )
}
