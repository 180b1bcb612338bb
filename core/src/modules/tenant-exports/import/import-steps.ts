import type { Ctx } from '#kernel'
import { FILES, type Manifest } from '../content/manifest.ts'
import type { Renamed } from './import-people.ts'
import { updateImportStep } from './import-queries.ts'
import { anewOf, fileKey, filesAnew, importRows } from './import-rows.ts'
import { type Part, partsOf } from './lines.ts'
import type { Archive } from './open-archive.ts'
import { ImportRefused } from './problem.ts'
import type { TableToImport } from './read-manifest.ts'
import { type NotWhole, readFileLine } from './verify.ts'

/** Rows that are written in one transaction. */
export const ROWS = { bytes: 1024 * 1024, most: 2_000 }
const FILES_AT_ONCE = { bytes: 1024 * 1024, most: 20 }
/** The step in which the bytes of files are written; the others are called like their tables. */
export const BYTES = ' bytes of files'

/** Told how far it is. */
export interface ImportProgress {
  /** What begins now, and how much of it there is. */
  begins(what: 'check' | 'write', bytes: number): void
  passed(bytes: number): void
  note(text: string): void
}

export interface ImportOptions {
  path: string
  /** In place of the slug that the tenant had. */
  slug: string | null
  isDry: boolean
  stopping: AbortSignal
  progress: ImportProgress
}

/** An import as it is written. */
export interface Writing {
  archive: Archive
  manifest: Manifest
  tables: readonly TableToImport[]
  notWhole: NotWhole
  slug: string
  sum: string
  options: ImportOptions
}

/** Options of a transaction that writes what no request may. */
export const asSystem = (tenantId: string) => ({ role: 'system', tenantId }) as const // a word is a type

/** How many lines a step has. */
export function linesOf({ manifest, tables }: Writing, step: string): number {
  if (step === BYTES) return manifest.files.rows
  return tables.find(({ name }) => name === step)?.told.rows ?? 0
}

/** Does the parts of a step that are not done. */
export async function doStep(
  ctx: Ctx,
  writing: Writing,
  { step, renamed, linesDone }: { step: string; renamed: Renamed; linesDone: number },
): Promise<void> {
  const { archive, manifest, tables, notWhole, options } = writing
  const tenantId = manifest.tenant.id
  const table = tables.find(({ name }) => name === step)
  const anew = step === 'files' ? filesAnew(ctx, tenantId, notWhole) : anewOf(ctx, ctx.registry.exported.get(step))
  const content = await archive.read(table?.told.entry ?? FILES)
  for await (const part of partsOf(content, { from: linesDone, ...(table ? ROWS : FILES_AT_ONCE) })) {
    options.stopping.throwIfAborted()
    if (!table) await writeFiles(ctx, writing, part)
    await ctx.transaction(async (ctx) => {
      await goOn(
        ctx,
        { tenant_id: tenantId, step, lines_done: part.from },
        { lines_done: part.from + part.lines.length },
      )
      if (table) await importRows(ctx, { table, tenantId, renamed, anew }, part.lines)
    }, asSystem(tenantId))
    options.progress.passed(part.bytes)
  }
}

/** Each part is done once, whoever else is at it. */
export async function goOn(
  { tx, clock }: Ctx,
  from: { tenant_id: string; step: string; lines_done: number },
  to: { step?: string; lines_done: number },
): Promise<void> {
  if (!(await updateImportStep(tx, from, { ...to, updated_at: clock.now() })))
    throw new ImportRefused('another process imports this tenant')
}

async function writeFiles(ctx: Ctx, { archive, manifest, options }: Writing, { lines }: Part): Promise<void> {
  for (const line of lines) {
    const { id, entry, state, sha256, size } = readFileLine(line)
    if (state !== 'whole' || entry === null) continue
    options.stopping.throwIfAborted()
    const written = await ctx.storage.write(fileKey(manifest.tenant.id, id), await archive.read(entry))
    if (written.sha256 !== sha256) throw new Error(`${entry} has changed since it was checked`)
    options.progress.passed(size)
  }
}
