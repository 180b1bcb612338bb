import type { Ctx, Tx } from '#kernel'
import { linesOf, type Spool } from '../archive/spool.ts'
import type { Zip } from '../archive/zip.ts'
import { type FileToExport, findStoredFile, listFilesToExport } from './content-queries.ts'
import { FILES, type FileLine, fileEntry, type Manifest } from './manifest.ts'

const PAGE = 500

/** Puts the list of a tenant's files aside, as the snapshot has it; says how many there are. */
export async function putFilesAside(tx: Tx, tenantId: string, spool: Spool): Promise<number> {
  let count = 0
  for (let after: string | null = null; ; ) {
    const files: FileToExport[] = await listFilesToExport(tx, tenantId, { after, limit: PAGE })
    for (const file of files) await spool.append(Buffer.from(`${JSON.stringify(file)}\n`))
    count += files.length
    after = files.at(-1)?.id ?? null
    if (files.length < PAGE) return count
  }
}

export interface FilesToAdd {
  zip: Zip
  /** From `putFilesAside`. */
  listed: Spool
  /** For the list of what is in the export. */
  lines: Spool
  done: () => void
}

/**
 * Adds the bytes of files, and the list of them. What the storage does not have, or has differently, ends no export: the list says so.
 */
export async function addFiles(ctx: Ctx, { zip, listed, lines, done }: FilesToAdd): Promise<Manifest['files']> {
  const sum = { rows: 0, whole: 0, bytes_of_files: 0 }
  for await (const text of linesOf(listed)) {
    const file = JSON.parse(text) as FileToExport // written by putFilesAside
    const line = await addFile(ctx, zip, file)
    await lines.append(Buffer.from(`${JSON.stringify(line)}\n`))
    sum.rows++
    if (line.state === 'whole') sum.whole++
    if (line.entry !== null) sum.bytes_of_files += line.size
    done()
  }
  return { entry: FILES, ...(await zip.add(FILES, lines.read(), { isCompressed: true })), ...sum }
}

async function addFile(
  ctx: Ctx,
  zip: Zip,
  { id, filename, size, checksum_sha256: sha256 }: FileToExport,
): Promise<FileLine> {
  const without = (state: 'absent' | 'withheld'): FileLine => ({ id, entry: null, state, size, sha256 })
  // Where it is now: it may have been moved to another storage since the snapshot.
  const stored = await ctx.transaction(({ tx, tenantId }) => findStoredFile(tx, tenantId, id), { readOnly: true })
  if (!stored) return without('absent')
  if (stored.scan_status !== 'none' && stored.scan_status !== 'clean') return without('withheld')
  const storage = ctx.storages.of(stored.storage_backend)
  if ((await storage.size(stored.storage_path)) === null) return without('absent')
  const entry = fileEntry(id, filename)
  // Most kinds of files are compressed in themselves.
  const written = await zip.add(entry, storage.read(stored.storage_path), { isCompressed: false })
  const isWhole = written.bytes === size && written.sha256 === sha256
  return { id, entry, state: isWhole ? 'whole' : 'damaged', size: written.bytes, sha256: written.sha256 }
}
