import type { Ctx, ImportedPlan } from '#kernel'
import type { Row } from '../reading/json.ts'
import { partsOf } from '../reading/lines.ts'
import type { TableToRead } from '../reading/match-tables.ts'
import type { Archive } from '../reading/open-archive.ts'
import { readRow } from '../reading/read-row.ts'
import { ImportRefused } from '../reading/refused.ts'

/** What an export says of what is decided here. */
export interface Said {
  ownerId: string
  status: string
  /** The code of its plan; null: it has none, or one that is not here. */
  plan: string | null
}

/** Throws `ImportRefused` for an export that has not exactly one tenant. */
export async function readSaid(ctx: Ctx, archive: Archive, tables: readonly TableToRead[]): Promise<Said> {
  const tenant = await readOnly(archive, tables, 'tenants')
  if (!tenant) throw new ImportRefused('it has not one tenant')
  const subscription = await readOnly(archive, tables, 'subscriptions')
  return {
    ownerId: String(tenant.owner_id),
    status: String(tenant.status),
    plan: (subscription && (await findPlan(ctx, { id: String(subscription.plan_id) }))?.code) ?? null,
  }
}

/** A plan of here; undefined: there is none, or there are no plans at all. */
export async function findPlan(ctx: Ctx, by: { id: string } | { code: string }): Promise<ImportedPlan | undefined> {
  const rules = [...ctx.registry.exported.values()]
  const rule = rules.find((each) => typeof each === 'object' && 'imported' in each && each.imported?.planOf)
  const planOf = typeof rule === 'object' && 'imported' in rule ? rule.imported?.planOf : undefined
  return planOf && ctx.transaction((ctx) => planOf(ctx, by), { role: 'system', tenantId: null, readOnly: true })
}

/** The row of a table that has one; undefined: it has none, or several. */
async function readOnly(archive: Archive, tables: readonly TableToRead[], name: string): Promise<Row | undefined> {
  const table = tables.find((each) => each.name === name)
  if (table?.told.rows !== 1) return undefined
  for await (const { lines } of partsOf(await archive.read(table.told.entry), { bytes: 1, most: 1 }))
    return readRow(table, lines[0] ?? '') ?? undefined
  return undefined
}
