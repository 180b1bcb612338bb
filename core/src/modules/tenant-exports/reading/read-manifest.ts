import { text } from 'node:stream/consumers'
import { Value } from 'typebox/value'
import { Closed, Type } from '#kernel'
import { FILES, FORMAT, MANIFEST, type Manifest, PEOPLE, SEAL, tableEntry } from '../content/manifest.ts'
import { isCanonicalId } from './ids.ts'
import type { Archive } from './open-archive.ts'
import { ImportRefused } from './refused.ts'

const MOST_BYTES = 4 * 1024 * 1024
const MOST_BYTES_OF_SEAL = 100

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

/** What an export says of itself, the very text of it, and what is to prove who wrote that; null: nothing. */
export interface ReadManifest {
  text: string
  manifest: Manifest
  seal: string | null
}

/** Throws `ImportRefused` for a manifest of another format. */
export async function readManifest(archive: Archive): Promise<ReadManifest> {
  const bytes = archive.sizeOf(MANIFEST)
  if (bytes === undefined) throw new ImportRefused(`it is no export of a tenant: it has no ${MANIFEST}`)
  if (bytes > MOST_BYTES) throw new ImportRefused(`${MANIFEST} is larger than any that was written`)
  const written = await text(await archive.read(MANIFEST))
  if ((archive.sizeOf(SEAL) ?? 0) > MOST_BYTES_OF_SEAL)
    throw new ImportRefused(`${SEAL} is larger than any that was written`)
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
  const seal = archive.sizeOf(SEAL) === undefined ? null : await text(await archive.read(SEAL))
  return { text: written, manifest, seal }
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
  if (!isCanonicalId(tenant.id)) throw new ImportRefused('its tenant has no id')
  const told = new Set<string>([MANIFEST, SEAL])
  const expected = [
    ...tables.map((table) => [table, tableEntry(table.name)] as const),
    [people, PEOPLE] as const,
    [files, FILES] as const,
  ] // pairs
  for (const [{ entry, bytes }, name] of expected) {
    if (entry !== name || told.has(name))
      throw new ImportRefused(`${MANIFEST} tells of ${entry.slice(0, 100)} where ${name} is meant, or twice`)
    if (archive.sizeOf(name) !== bytes) throw new ImportRefused(`${name} is not of the size that ${MANIFEST} says`)
    told.add(name)
  }
  for (const each of archive.names())
    if (!told.has(each) && !each.startsWith('files/')) throw new ImportRefused(`${MANIFEST} says nothing of ${each}`)
}
