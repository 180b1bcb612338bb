import { type Ctx, every, everyTenant } from '#kernel'
import { keyOf } from './keys.ts'
import { deleteExpired, listExpired, listTenantsWithExpired } from './queries.ts'
import type { ExportRow } from './table.ts'

/** Every hour: removes exports whose time is over. What is stored goes first, so that no row is without its file for longer than that takes. */
export const removeExpiredExports = every('41 * * * *', 'tenant_exports.remove_expired', async (ctx) => {
  const now = ctx.clock.now()
  await everyTenant(ctx, {
    name: 'tenant_exports.remove_expired',
    transaction: 'manual',
    list: (tx, page) => listTenantsWithExpired(tx, now, page),
    work: (ctx) => removeExpired(ctx, now),
  })
})

async function removeExpired(ctx: Ctx, now: string): Promise<void> {
  const expired = await ctx.transaction(({ tx, tenantId }) => listExpired(tx, tenantId, now), { readOnly: true })
  for (const row of expired) {
    await removeFiles(ctx, row)
    await ctx.transaction(({ tx }) => deleteExpired(tx, row, now))
  }
}

/** Also what attempts have left that died once they had written theirs. */
async function removeFiles({ storages }: Ctx, row: ExportRow): Promise<void> {
  for (const storage of storages.all)
    for (let attempt = 1; attempt <= row.attempts; attempt++) await storage.delete(keyOf(row, attempt))
}
