import { type Ctx, outsideTenants } from '#kernel'
import { tenantImported, tenantImportedByOperator } from '../events.ts'
import { deleteImport, insertMemberships, lockImport, updateTenantComplete } from './import-queries.ts'
import { rowsOf } from './import-tenant.ts'
import type { ChosenOwner } from './owner.ts'
import { asSystem, COMPLETION, elsewhere, type Import } from './steps.ts'
import type { Wishes } from './wishes.ts'

interface Completing {
  wishes: Wishes
  owner: ChosenOwner
  /** The owner's id here. */
  ownerId: string
}

/** Lets people in: the last that is written, all at once. */
export async function finishImport(ctx: Ctx, { manifest, options }: Import, how: Completing): Promise<void> {
  const { tenant, exported_at, files } = manifest
  await ctx.transaction(async (ctx) => {
    // Not of one that somebody takes away.
    if ((await lockImport(ctx.tx, tenant.id))?.step !== COMPLETION) throw elsewhere()
    await updateTenantComplete(ctx.tx, tenant.id, ctx.clock.now())
    const imported = {
      ...{ ownerId: how.ownerId, isOwnerActive: how.owner.isActive, plan: how.wishes.plan },
      ...{ invitesAll: options.invitesAll, note: (text: string) => options.progress.note(text) },
    }
    for (const rule of ctx.registry.exported.values())
      if (typeof rule === 'object' && 'imported' in rule) await rule.imported?.completed?.(ctx, imported)
    await insertMemberships(ctx.tx, tenant.id)
    await deleteImport(ctx.tx, tenant.id)
    const after = {
      ...{ id: tenant.id, name: tenant.name, slug: how.wishes.slug, exported_at },
      ...{ rows: rowsOf(manifest), files: files.whole },
    }
    await ctx.emit(tenantImported, { after })
    await outsideTenants(ctx).emit(tenantImportedByOperator, { after })
    await ctx.forget({ tenantId: tenant.id })
  }, asSystem(tenant.id))
}
