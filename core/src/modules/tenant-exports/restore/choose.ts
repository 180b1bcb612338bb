import type { Ctx } from '#kernel'
import type { Manifest } from '../content/manifest.ts'
import { isSealed } from '../content/seal.ts'
import type { TableToRead } from '../reading/match-tables.ts'
import type { ReadManifest } from '../reading/read-manifest.ts'
import { ImportRefused } from '../reading/refused.ts'
import { listTenantsToRestore } from './restore-queries.ts'
import { ruleOf } from './steps.ts'

/** The tenant that rows come back to. */
export interface RestoredTenant {
  id: string
  name: string
  slug: string
}

/**
 * The tenant of that name, which the export is of. Ids are kept and people are believed to be who they were, so it has to be an export that this
 * installation has made, and that nobody has changed. Throws `ImportRefused`.
 */
export async function requireOurs(
  ctx: Ctx,
  { text, manifest, seal }: ReadManifest,
  name: string,
): Promise<RestoredTenant> {
  if (seal === null || !isSealed(ctx, text, seal))
    throw new ImportRefused(
      'this installation has not made this export, or somebody has changed it: it can be imported elsewhere, and restores nothing',
    )
  const [tenant, other] = await ctx.transaction(({ tx }) => listTenantsToRestore(tx, name.toLowerCase()), {
    role: 'system',
    tenantId: null,
    readOnly: true,
  })
  if (other) throw new ImportRefused(`${name} is the id of one tenant and the slug of another`)
  if (!tenant) throw new ImportRefused(`there is no tenant ${name}`)
  if (tenant.id !== manifest.tenant.id)
    throw new ImportRefused(`this is an export of ${manifest.tenant.name} (${manifest.tenant.id}), and not of ${name}`)
  if (tenant.is_incomplete) throw new ImportRefused(`an import of ${name} has not ended`)
  if (tenant.status === 'deleted') throw new ImportRefused(`the tenant ${name} is deleted`)
  const { id, slug } = tenant
  return { id, slug, name: tenant.name }
}

/** The tables whose rows come back. Throws `ImportRefused` for one that is named and cannot. */
export function chooseTables(
  ctx: Ctx,
  all: readonly TableToRead[],
  wanted: readonly string[] | null,
  { left_out }: Manifest,
): TableToRead[] {
  for (const name of wanted ?? []) {
    const table = all.find((each) => each.name === name)
    const reason = left_out.find((each) => each.name === name)?.reason
    if (!table) throw new ImportRefused(`the export has no table ${name}${reason ? `: ${reason}` : ''}`)
    if (table.here.append_only) throw new ImportRefused(`rows of ${name} are added, and never written again`)
  }
  return all.filter((table) => {
    if (table.here.append_only) return false
    return wanted ? wanted.includes(table.name) : !ruleOf(ctx, table).isNamedOnly
  })
}
