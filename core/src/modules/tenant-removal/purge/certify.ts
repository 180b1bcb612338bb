import { type Ctx, sha256 } from '#kernel'
import { canonicalJson, checkpointKeys } from '../../audit/index.ts'
import { getTenant } from '../../tenants/index.ts'
import { insertCertificate } from '../certificate-queries.ts'
import { tenantPurged } from '../events.ts'
import { deleteRemoval } from '../queries.ts'
import { type RemovalFacts, requestedOf } from '../schema.ts'
import type { Progress, RemovalRow } from '../table.ts'
import { deleteTenantItself } from './removal-queries.ts'
import { countRows, type Run, TakenOver } from './run.ts'

/** Something came to lie in a table while others were emptied: it goes with the next run. */
export class RowsLeft extends Error {
  override name = 'RowsLeft'

  constructor(table: string) {
    super(`The table ${table} has rows of the tenant that do not go`)
  }
}

/**
 * The end, in one transaction: the tenant itself goes, unless any table has a row of it; its slug is free; what was removed is certified,
 * recorded in the log of the installation, and forgotten. Throws `RowsLeft`.
 */
export async function certify({ ctx, removal, tenantId, progress: counted }: Run): Promise<void> {
  await ctx.transaction(
    async (inner) => {
      const progress = structuredClone(counted)
      const { name, slug } = await getTenant(inner.tx, tenantId)
      const left = await deleteTenantItself(inner.tx, tenantId)
      if (left !== null) throw new RowsLeft(left)
      countRows(progress, 'tenants', 1)
      for (const holding of inner.registry.holdings)
        if ('remove' in holding && holding.isLast)
          countRows(progress, holding.table, await holding.remove(inner.tx, tenantId, 1))
      const facts = factsOf(inner, { removal, progress, slug })
      const hash = await insertSigned(inner, facts)
      if (!(await deleteRemoval(inner.tx, removal))) throw new TakenOver()
      const { reason, purge_at } = removal
      const after = { id: tenantId, name, slug, reason, purge_at, sha256: hash.toString('hex') }
      await inner.emit(tenantPurged, { after, label: name, storeId: null })
      await inner.forget({ tenantId })
    },
    { role: 'system', tenantId: null },
  )
}

interface Removed {
  removal: RemovalRow
  progress: Progress
  slug: string
}

function factsOf({ clock, product }: Ctx, { removal, progress, slug }: Removed): RemovalFacts {
  const { rows = {}, storages = {}, accounts = 0 } = progress
  return {
    certificate: 'tenantry.tenant-removal',
    version: 1,
    tenant_id: removal.tenant_id,
    slug_sha256: sha256(slug).toString('hex'),
    ...requestedOf(removal),
    begun_at: removal.begun_at ?? clock.now(),
    purged_at: clock.now(),
    rows: Object.entries(rows)
      .map(([table, rows]) => ({ table, rows }))
      .sort((a, b) => (a.table < b.table ? -1 : 1)),
    storages: (['local', 's3'] as const).flatMap((storage) => {
      const tally = storages[storage]
      return tally ? [{ storage, ...tally }] : []
    }),
    accounts,
    product: { name: product.name, version: product.version },
  }
}

/** Gives the hash that was signed. */
async function insertSigned(ctx: Ctx, facts: RemovalFacts): Promise<Buffer> {
  const content = canonicalJson(facts)
  const hash = sha256(content)
  const keys = ctx.use(checkpointKeys)
  const { key_id, signature } = keys.sign(hash)
  const public_key = keys.all.find((key) => key.key_id === key_id)?.public_key ?? ''
  await insertCertificate(ctx.tx, {
    tenant_id: facts.tenant_id,
    purged_at: facts.purged_at,
    slug_hash: Buffer.from(facts.slug_sha256, 'hex'),
    content,
    hash,
    key_id,
    public_key,
    signature,
  })
  return hash
}
