import { type Ctx, sha256 } from '#kernel'
import type { Manifest } from '../content/manifest.ts'
import { matchTables } from '../reading/match-tables.ts'
import { openArchive } from '../reading/open-archive.ts'
import { readManifest } from '../reading/read-manifest.ts'
import { readPeople } from '../reading/read-people.ts'
import { verify } from '../reading/verify.ts'
import { findRest, writeImport } from './begin.ts'
import { checkRows } from './check-rows.ts'
import { judge, membersOf } from './link-people.ts'
import { chooseOwner, withOwner } from './owner.ts'
import { readSaid } from './said.ts'
import type { Import, ImportOptions } from './steps.ts'
import { checkWishes } from './wishes.ts'

/** What an import has done, or would do. */
export interface Imported {
  tenantId: string
  name: string
  slug: string
  tables: number
  rows: number
  files: number
  /** Members, by what becomes of them: linked to an account, added, or nobody. */
  people: { linked: number; added: number; none: number }
  /** Whose address the owner has, and whether they are in at once. */
  owner: { email: string; isActive: boolean }
  /** What the export says of these, which is not taken. */
  said: { status: string; plan: string | null }
  /** An interrupted import went on. */
  isRest: boolean
}

/**
 * Reads an export into this installation, under the same id. Everything is checked before anything is written. Until all is there
 * the tenant is suspended, and nobody can let its people in. Interrupted at any point and repeated, it goes on. `ctx` has no tenant and no
 * transaction. Throws `ImportRefused`.
 */
export async function importTenant(ctx: Ctx, options: ImportOptions): Promise<Imported> {
  const archive = await openArchive(options.path)
  try {
    const { text, manifest } = await readManifest(archive)
    const tables = await matchTables(ctx, manifest)
    tellLeftOut(tables, options)
    const wishes = await checkWishes(ctx, manifest, options)
    const sum = sha256(text).toString('hex')
    const rest = await findRest(ctx, { manifest, sum, wishes })
    // Its rows are read twice before anything is written: for their checksum, and for themselves.
    options.progress.begins('check', bytesOf(manifest) + bytesOfRows(manifest))
    await verify(archive, manifest, options.progress.passed)
    const exported = await readPeople(archive)
    const said = await readSaid(ctx, archive, tables)
    const owner = await chooseOwner(ctx, { people: exported, ownerId: said.ownerId, wanted: wishes.owner })
    const all: Import = { archive, manifest, tables, people: withOwner(exported, owner), options }
    await checkRows(ctx, all)
    const kinds = [...(await judge(ctx, membersOf(all.people))).values()].map(({ kind }) => kind)
    if (!options.isDry) await writeImport(ctx, all, { wishes, sum, owner })
    const { status, plan } = said
    const counts = {
      tables: tables.length,
      rows: rowsOf(manifest),
      files: manifest.files.whole,
      people: countOf(kinds),
    }
    const { id: tenantId, name } = manifest.tenant
    return {
      ...{ tenantId, name, slug: wishes.slug, ...counts, owner: { email: owner.email, isActive: owner.isActive } },
      ...{ said: { status, plan }, isRest: rest !== undefined },
    }
  } finally {
    archive.close()
  }
}

function tellLeftOut(tables: Import['tables'], { progress }: ImportOptions): void {
  for (const { name, dropped, rule } of tables) {
    for (const column of dropped) progress.note(`${name}.${column} is left out: it is not there any more`)
    if (rule.never !== undefined) progress.note(`${name} is left out: ${rule.never}`)
  }
}

const countOf = (kinds: readonly string[]): Imported['people'] => ({
  linked: kinds.filter((kind) => kind === 'linked').length,
  added: kinds.filter((kind) => kind === 'new').length,
  none: kinds.filter((kind) => kind === 'none').length,
})

const bytesOfRows = ({ tables }: Manifest) => tables.reduce((all, { bytes }) => all + bytes, 0)

const bytesOf = ({ people, files, ...rest }: Manifest) =>
  bytesOfRows({ people, files, ...rest }) + people.bytes + files.bytes + files.bytes_of_files

export const rowsOf = ({ tables }: Pick<Manifest, 'tables'>): number => tables.reduce((all, { rows }) => all + rows, 0)
