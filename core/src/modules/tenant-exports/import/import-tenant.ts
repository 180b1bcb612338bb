import { type Ctx, constraintOf, sha256 } from '#kernel'
import type { Manifest } from '../content/manifest.ts'
import { tenantImported } from '../events.ts'
import type { TenantImportTable } from '../table.ts'
import { checkReferences } from './check-references.ts'
import { checkPeople, importPeople, type Renamed } from './import-people.ts'
import {
  deleteImport,
  findImport,
  findSlugHere,
  findTenantHere,
  insertImport,
  insertImportedSlug,
  insertMemberships,
  updateTenantStatus,
} from './import-queries.ts'
import { importRows } from './import-rows.ts'
import { asSystem, BYTES, doStep, goOn, type ImportOptions, linesOf, ROWS, type Writing } from './import-steps.ts'
import { partsOf } from './lines.ts'
import { openArchive } from './open-archive.ts'
import { ImportRefused } from './problem.ts'
import { matchTables, readManifest } from './read-manifest.ts'
import { verify } from './verify.ts'

export interface Imported {
  tenantId: string
  name: string
  slug: string
  tables: number
  rows: number
  people: number
  files: number
  /** An interrupted import went on. */
  isRest: boolean
}

/**
 * Reads an export into this installation, under the same id. Everything is checked before anything is written. Until all is there the tenant is suspended.
 * Interrupted at any point and repeated, it goes on. `ctx` has no tenant and no transaction. Throws `ImportRefused`.
 */
export async function importTenant(ctx: Ctx, options: ImportOptions): Promise<Imported> {
  const archive = await openArchive(options.path)
  try {
    const { text, manifest } = await readManifest(archive)
    const tables = await matchTables(ctx, manifest)
    for (const { name, dropped } of tables)
      for (const column of dropped) options.progress.note(`${name}.${column} is left out: it is not there any more`)
    const sum = sha256(text).toString('hex')
    const known = await findRest(ctx, manifest, sum, options)
    options.progress.begins('check', bytesOf(manifest))
    const notWhole = await verify(archive, manifest, options.progress.passed)
    const people = await checkPeople(ctx, archive)
    await checkReferences(ctx, archive, tables)
    const slug = known?.slug ?? options.slug ?? manifest.tenant.slug
    if (!options.isDry) await write(ctx, { archive, manifest, tables, notWhole, slug, sum, options })
    const { tenant, files } = manifest
    const rows = manifest.tables.reduce((all, table) => all + table.rows, 0)
    const counts = { tables: tables.length, rows, people, files: files.whole }
    return { tenantId: tenant.id, name: tenant.name, slug, ...counts, isRest: known !== undefined }
  } finally {
    archive.close()
  }
}

const bytesOf = ({ tables, people, files }: Manifest) =>
  [...tables, people, files].reduce((all, { bytes }) => all + bytes, files.bytes_of_files)

/** The import that this one goes on with. Throws `ImportRefused` where the tenant is there already, or its slug is another one's. */
async function findRest(ctx: Ctx, { tenant }: Manifest, sum: string, { slug }: ImportOptions) {
  return ctx.transaction(
    async ({ tx }) => {
      const isHere = (await findTenantHere(tx, tenant.id)) !== undefined
      // Somebody has removed what an earlier import had read.
      if (!isHere) await deleteImport(tx, tenant.id)
      const rest = await findImport(tx, tenant.id)
      if (rest && rest.manifest_sha256 !== sum)
        throw new ImportRefused(
          `an import of the tenant ${tenant.id} was interrupted, which was from another export: go on with that one`,
        )
      if (rest) return rest
      if (isHere) throw new ImportRefused(`the tenant ${tenant.id} is here already`)
      const wanted = slug ?? tenant.slug
      if (await findSlugHere(tx, wanted)) throw new ImportRefused(slugTaken(wanted))
      return undefined
    },
    { role: 'system', tenantId: null },
  )
}

const slugTaken = (slug: string) => `the slug ${slug} belongs to another tenant: choose one with --slug`

/** Refuses where a unique key says that somebody was sooner. */
function refusing(done: Promise<unknown>, constraint: string, problem: string): Promise<unknown> {
  return done.catch((error: unknown) => {
    throw constraintOf(error) === constraint ? new ImportRefused(problem) : error
  })
}

async function write(ctx: Ctx, writing: Writing): Promise<void> {
  const { archive, manifest, tables, options } = writing
  options.progress.begins('write', bytesOf(manifest))
  const renamed = await importPeople(ctx, archive)
  const tenantId = manifest.tenant.id
  const steps = [BYTES, ...tables.map(({ name }) => name).filter((name) => name !== 'tenants')]
  let at = await begin(ctx, writing, { renamed, first: BYTES })
  for (const [place, step] of steps.entries()) {
    if (place < steps.indexOf(at.step)) continue
    const next = steps[place + 1]
    await doStep(ctx, writing, { step, renamed, linesDone: at.step === step ? at.lines_done : 0 })
    if (next === undefined) break
    const lines_done = linesOf(writing, step)
    await ctx.transaction(
      (ctx) => goOn(ctx, { tenant_id: tenantId, step, lines_done }, { step: next, lines_done: 0 }),
      asSystem(tenantId),
    )
    at = { ...at, step: next, lines_done: 0 }
  }
  await ctx.transaction((ctx) => finish(ctx, manifest, at.status), asSystem(tenantId))
}

/** Adds the tenant, suspended, or finds how far an earlier import has come. */
async function begin(
  ctx: Ctx,
  writing: Writing,
  { renamed, first }: { renamed: Renamed; first: string },
): Promise<Pick<TenantImportTable, 'step' | 'status'> & { lines_done: number }> {
  const { archive, manifest, tables, slug, sum } = writing
  const tenantId = manifest.tenant.id
  const known = await ctx.transaction(({ tx }) => findImport(tx, tenantId), { role: 'system', tenantId: null })
  if (known) return known
  const table = tables.find(({ name }) => name === 'tenants')
  if (table?.told.rows !== 1) throw new ImportRefused('it has not one tenant')
  const lines: string[] = []
  for await (const part of partsOf(await archive.read(table.told.entry), { from: 0, ...ROWS }))
    lines.push(...part.lines)
  const { status } = JSON.parse(lines[0] ?? '{}') as Pick<TenantImportTable, 'status'> // the database says whether it is one
  await ctx.transaction(async (ctx) => {
    const now = ctx.clock.now()
    const row = {
      tenant_id: tenantId,
      manifest_sha256: sum,
      slug,
      status,
      step: first,
      created_at: now,
      updated_at: now,
    }
    await refusing(insertImport(ctx.tx, row), 'tenant_imports_pkey', 'another process imports this tenant')
    await importRows(ctx, { table, tenantId, renamed, anew: () => ({ status: 'suspended', slug }) }, lines)
    await refusing(insertImportedSlug(ctx.tx, slug, tenantId), 'tenant_slugs_pkey', slugTaken(slug))
  }, asSystem(tenantId))
  return { step: first, status, lines_done: 0 }
}

/** Lets people in: the last that is written. */
async function finish(
  ctx: Ctx,
  { tenant, exported_at, tables, files }: Manifest,
  status: TenantImportTable['status'],
): Promise<void> {
  await insertMemberships(ctx.tx, tenant.id)
  await updateTenantStatus(ctx.tx, tenant.id, status)
  await deleteImport(ctx.tx, tenant.id)
  const rows = tables.reduce((all, table) => all + table.rows, 0)
  await ctx.emit(tenantImported, { after: { id: tenant.id, name: tenant.name, exported_at, rows, files: files.whole } })
  await ctx.forget({ tenantId: tenant.id })
}
