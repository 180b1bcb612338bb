import { type Ctx, LEAST_ID } from '#kernel'
import { listTableShapes } from '../content/content-queries.ts'
import { ImportRefused } from '../reading/refused.ts'
import {
  deleteHalfImported,
  deleteImport,
  deleteImportedSlug,
  deletePeopleOfImport,
  deleteTenantOfImport,
  listImportsNamed,
  listStoredFiles,
  updateImport,
} from './import-queries.ts'
import { asSystem } from './steps.ts'

const FILES_AT_ONCE = 500
/** The step in which an import is taken away. */
export const ABANDONMENT = ' abandonment'
const outside = { role: 'system', tenantId: null } as const // a word is a type

/** What was taken away of an import. */
export interface Abandoned {
  tenantId: string
  files: number
  /** Accounts that it had added. */
  people: number
}

/**
 * Takes away what came of an import that is not complete: rows, files, its slug, and accounts that it added and nobody else has. May be
 * interrupted and repeated. Throws `ImportRefused` where there is no such import.
 */
export async function abandonImport(ctx: Ctx, name: string): Promise<Abandoned> {
  const [found, other] = await ctx.transaction(({ tx }) => listImportsNamed(tx, name.toLowerCase()), outside)
  if (other) throw new ImportRefused(`${name} is the id of one tenant and the slug of another`)
  if (!found) throw new ImportRefused(`no import of ${name} is under way`)
  const { tenant_id: tenantId } = found
  // Whoever goes on with it meanwhile writes nothing more.
  const change = { step: ABANDONMENT, updated_at: ctx.clock.now() }
  const isUnderWay = await ctx.transaction(({ tx }) => updateImport(tx, tenantId, change), outside)
  // Whoever was at it has just opened the tenant: from now on it is like any other.
  if (!isUnderWay) throw new ImportRefused(`the import of ${name} has just ended`)
  const files = await removeFiles(ctx, tenantId)
  const shapes = await ctx.transaction(({ tx }) => listTableShapes(tx), { ...outside, readOnly: true })
  for (const name of removable(shapes))
    await ctx.transaction(({ tx }) => deleteHalfImported(tx, name, tenantId), asSystem(tenantId))
  const people = await ctx.transaction(async ({ tx }) => {
    await deleteTenantOfImport(tx, tenantId)
    const people = await deletePeopleOfImport(tx, tenantId)
    await deleteImportedSlug(tx, tenantId)
    await deleteImport(tx, tenantId)
    return people
  }, asSystem(tenantId))
  await ctx.transaction((ctx) => ctx.forget({ tenantId }), asSystem(tenantId))
  return { tenantId, files, people }
}

/** Each before those that its rows refer to. */
function removable(shapes: Awaited<ReturnType<typeof listTableShapes>>): string[] {
  const ordered = new Set<string>()
  const byName = new Map(shapes.map((shape) => [shape.name, shape]))
  const visit = (name: string, path: ReadonlySet<string>): void => {
    if (ordered.has(name) || path.has(name)) return
    for (const referred of byName.get(name)?.refers_to ?? []) visit(referred, new Set([...path, name]))
    ordered.add(name)
  }
  for (const { name } of shapes) visit(name, new Set())
  return [...ordered].reverse().filter((name) => name !== 'tenants')
}

async function removeFiles(ctx: Ctx, tenantId: string): Promise<number> {
  let count = 0
  for (let after = LEAST_ID; ; ) {
    const from = after
    const files = await ctx.transaction(
      ({ tx }) => listStoredFiles(tx, tenantId, from, FILES_AT_ONCE),
      asSystem(tenantId),
    )
    for (const { storage_backend, storage_path } of files) await ctx.storages.of(storage_backend).delete(storage_path)
    count += files.length
    const last = files.at(-1)
    if (!last || files.length < FILES_AT_ONCE) return count
    after = last.id
  }
}
