import { type Ctx, sha256 } from '#kernel'
import type { Manifest } from '../content/manifest.ts'
import { matchTables } from '../reading/match-tables.ts'
import { openArchive } from '../reading/open-archive.ts'
import { readManifest } from '../reading/read-manifest.ts'
import { verify } from '../reading/verify.ts'
import { chooseTables, type RestoredTenant, requireOurs } from './choose.ts'
import { countDifferences, writeRestore } from './run.ts'
import type { Counts, Restore, RestoreOptions } from './steps.ts'

/** What a restore has done, or would do. */
export interface Restored {
  tenant: RestoredTenant
  exportedAt: string
  /** By table, in the order in which they came back. */
  counts: Counts
  /** An interrupted restore went on. */
  isRest: boolean
}

/**
 * Brings rows of a tenant back from an export that this installation made of it, under the ids that they had: what is missing, and what says something
 * else since. Everybody goes on working meanwhile: rows are written a few hundred at a time. Tables whose rows are never changed are left alone.
 * Interrupted at any point and repeated, it goes on. `ctx` has no tenant and no transaction. Throws `ImportRefused`.
 */
export async function restoreTenant(ctx: Ctx, options: RestoreOptions): Promise<Restored> {
  const archive = await openArchive(options.path)
  try {
    const read = await readManifest(archive)
    const { manifest, text } = read
    const tenant = await requireOurs(ctx, read, options.tenant)
    const tables = chooseTables(ctx, await matchTables(ctx, manifest), options.tables, manifest)
    options.progress.begins('check', bytesOf(manifest))
    await verify(archive, manifest, options.progress.passed)
    const all: Restore = { archive, manifest, tables, options }
    const { exported_at: exportedAt } = manifest
    options.progress.begins('write', tables.reduce((sum, { told }) => sum + told.bytes, 0) * (options.replaces ? 2 : 1))
    if (options.isDry) return { tenant, exportedAt, counts: await countDifferences(ctx, all), isRest: false }
    return { tenant, exportedAt, ...(await writeRestore(ctx, all, { tenant, sum: sha256(text).toString('hex') })) }
  } finally {
    archive.close()
  }
}

const bytesOf = ({ tables, people, files }: Manifest) =>
  [...tables, people, files].reduce((all, { bytes }) => all + bytes, files.bytes_of_files)
