import { text } from 'node:stream/consumers'
import { Value } from 'typebox/value'
import { Closed, type Ctx, isUuid, Type } from '#kernel'
import { FILES, FORMAT, MANIFEST, type Manifest, PEOPLE, tableEntry } from '../content/manifest.ts'
import { type ExportedTable, selectTables } from '../content/tables.ts'
import type { Archive } from './open-archive.ts'
import { ImportRefused } from './problem.ts'

const MOST_BYTES = 16 * 1024 * 1024

const count = Type.Integer({ minimum: 0 })
const sha256 = Type.String({ pattern: '^[0-9a-f]{64}$' })
const lines = { entry: Type.String(), rows: count, bytes: count, sha256 }
const name = Type.String({ pattern: '^[a-z_][a-z0-9_]{0,62}$' })
const Known = Closed({
  format: Type.Literal('tenantry.tenant-export'),
  format_version: Type.Literal(FORMAT),
  product_version: Type.String(),
  exported_at: Type.String({ format: 'date-time' }),
  tenant: Closed({ id: Type.String({ format: 'uuid' }), name: Type.String(), slug: Type.String() }),
  tables: Type.Array(
    Closed({
      name,
      module: Type.String(),
      schema_version: count,
      columns: Type.Array(Closed({ name: Type.String(), type: Type.String() })),
      without: Type.Array(Type.String()),
      ...lines,
    }),
  ),
  left_out: Type.Array(Closed({ name: Type.String(), reason: Type.String() })),
  people: Closed(lines),
  files: Closed({ ...lines, whole: count, bytes_of_files: count }),
})

/** The text of the manifest, and what it says. Throws `ImportRefused` for one of another format. */
export async function readManifest(archive: Archive): Promise<{ text: string; manifest: Manifest }> {
  const bytes = archive.sizeOf(MANIFEST)
  if (bytes === undefined) throw new ImportRefused(`it is no export of a tenant: it has no ${MANIFEST}`)
  if (bytes > MOST_BYTES) throw new ImportRefused(`${MANIFEST} is larger than any that was written`)
  const written = await text(await archive.read(MANIFEST))
  const manifest = parse(written)
  const version =
    typeof manifest === 'object' && manifest !== null && 'format_version' in manifest && manifest.format_version
  if (typeof version === 'number' && version > FORMAT)
    throw new ImportRefused(
      `it is of the format ${version}, and this version reads ${FORMAT}: update this installation`,
    )
  if (!Value.Check(Known, manifest)) {
    const [problem] = Value.Errors(Known, manifest)
    throw new ImportRefused(
      `${MANIFEST} is not what an export has: ${problem?.instancePath || '/'} ${problem?.message ?? ''}`,
    )
  }
  checkEntries(archive, manifest)
  return { text: written, manifest }
}

function parse(written: string): unknown {
  try {
    return JSON.parse(written)
  } catch {
    throw new ImportRefused(`${MANIFEST} is no JSON`)
  }
}

/** Every entry of lines is the manifest's, and of the size that it says. */
function checkEntries(archive: Archive, { tables, people, files, tenant }: Manifest): void {
  if (!isUuid(tenant.id)) throw new ImportRefused('its tenant has no id')
  const told = new Map<string, number>([[MANIFEST, archive.sizeOf(MANIFEST) ?? 0]])
  const expected = [
    ...tables.map((table) => [table, tableEntry(table.name)] as const),
    [people, PEOPLE] as const,
    [files, FILES] as const,
  ] // pairs
  for (const [{ entry, bytes }, name] of expected) {
    if (entry !== name || told.has(name))
      throw new ImportRefused(`${MANIFEST} tells of ${entry.slice(0, 100)} where ${name} is meant, or twice`)
    if (archive.sizeOf(name) !== bytes) throw new ImportRefused(`${name} is not of the size that ${MANIFEST} says`)
    told.set(name, bytes)
  }
  for (const each of archive.names())
    if (!told.has(each) && !each.startsWith('files/')) throw new ImportRefused(`${MANIFEST} says nothing of ${each}`)
}

/** A table of the export, as this installation has it. */
export interface TableToImport {
  name: string
  here: ExportedTable
  /** Columns that both have. */
  columns: string[]
  /** Columns of the export that are not there any more. */
  dropped: string[]
  told: Manifest['tables'][number]
}

/**
 * What the export has of which table of this installation, the tenants' own first. Throws `ImportRefused`, naming it, for a table that this
 * installation does not have or import, one that a newer version exported, and one that needs what an older one did not have.
 */
export async function matchTables(ctx: Ctx, { tables }: Manifest): Promise<TableToImport[]> {
  const here = new Map((await selectTables(ctx)).tables.map((table) => [table.name, table]))
  const matched = tables.map((told) => match(told, here.get(told.name)))
  return [...matched.filter(({ name }) => name === 'tenants'), ...matched.filter(({ name }) => name !== 'tenants')]
}

function match(told: Manifest['tables'][number], here: ExportedTable | undefined): TableToImport {
  const { name, module } = told
  if (!here) throw new ImportRefused(`the table ${name} of the module ${module} is none that this installation imports`)
  if (here.module !== module)
    throw new ImportRefused(
      `the table ${name} belongs to the module ${here.module} here, and to ${module} in the export`,
    )
  if (told.schema_version > here.version)
    throw new ImportRefused(
      `the table ${name} was exported by a newer version of ${module} (${told.schema_version}; here it is ${here.version}): update this installation`,
    )
  const exported = told.columns.map((column) => column.name)
  const known = here.columns.map((column) => column.name)
  const missing = here.columns.find((column) => column.is_required && !exported.includes(column.name))
  if (missing && told.rows > 0)
    throw new ImportRefused(`the table ${name} needs ${missing.name}, which the export does not have`)
  return {
    name,
    here,
    told,
    columns: known.filter((column) => exported.includes(column)),
    dropped: exported.filter((column) => !known.includes(column)),
  }
}
