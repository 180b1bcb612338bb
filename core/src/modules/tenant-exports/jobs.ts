import { Closed, type Ctx, DAYS, defineJob, fromNow, HOURS, StorageFull, Uuid, type Written } from '#kernel'
import { writeExport } from './content/write.ts'
import { exportFailed, tenantExported } from './events.ts'
import { keyOf } from './keys.ts'
import { recordExport } from './present.ts'
import { keepProgress, noProgress } from './progress.ts'
import { type ExportChange, lockExport, updateExport, updateOlderEnd } from './queries.ts'
import type { ExportError, ExportRow } from './table.ts'

/** How long an export can be downloaded. */
export const KEPT_MS = 7 * DAYS
/** It is begun so often: after failures, and after processes that died. */
const MOST_ATTEMPTS = 5

/**
 * Writes an export that was asked for. Whoever dies leaves it to the next attempt, which begins anew and under another name, so that
 * of two that are at work at once each has a file of its own, and the first one to end counts.
 */
export const writeTenantExport = defineJob('tenant_exports.write', {
  payload: Closed({ id: Uuid }),
  // More than it is begun: it is the row that says when it has failed.
  maxAttempts: MOST_ATTEMPTS + 5,
  leaseMs: 12 * HOURS,
  transaction: 'manual',
  outbound: true,
  // Whoever runs the installation may want it of a tenant that is deleted.
  whileResting: true,
  handler: async (ctx, { id }) => {
    const row = await ctx.transaction((ctx) => beginAttempt(ctx, id))
    if (row) await attempt(ctx, row)
  },
})

async function beginAttempt(ctx: Ctx, id: string): Promise<ExportRow | null> {
  const row = await lockExport(ctx.tx, ctx.tenantId, id)
  if (!row || row.finished_at !== null) return null
  if (row.attempts >= MOST_ATTEMPTS) {
    await fail(ctx, row, 'unexpected')
    return null
  }
  const now = ctx.clock.now()
  const begun = { ...noProgress(), attempts: row.attempts + 1, started_at: row.started_at ?? now, updated_at: now }
  return updateExport(ctx.tx, row, begun)
}

async function attempt(ctx: Ctx, row: ExportRow): Promise<void> {
  const key = keyOf(row, row.attempts)
  const progress = noProgress()
  const stop = keepProgress(ctx, row, progress)
  try {
    const written = await writeExport(ctx, key, progress)
    const isFirst = await ctx.transaction((ctx) => finish(ctx, row, { ...progress, ...fileOf(ctx, key, written) }))
    if (!isFirst) await ctx.storage.delete(key)
  } catch (error) {
    if (!(await isLast(ctx, row, error))) throw error
    ctx.log.error({ err: error, export: row.id, tenant_id: row.tenant_id }, 'an export has failed for good')
  } finally {
    stop()
  }
}

const fileOf = ({ storage }: Ctx, storage_path: string, { bytes, sha256 }: Written): ExportChange => ({
  storage_backend: storage.backend,
  storage_path,
  size: bytes,
  checksum_sha256: sha256,
})

/** False: another attempt was sooner, or the tenant is gone. The ones before it are not kept any longer. */
async function finish(ctx: Ctx, { id }: ExportRow, change: ExportChange): Promise<boolean> {
  const row = await lockExport(ctx.tx, ctx.tenantId, id)
  if (!row || row.finished_at !== null) return false
  const after = await updateExport(ctx.tx, row, { ...change, ...ended(ctx) })
  await updateOlderEnd(ctx.tx, row, ctx.clock.now())
  await ctx.emit(tenantExported, { before: recordExport(row), after: recordExport(after) })
  return true
}

/** Whether it was the last attempt: then its end is stored, and told. */
function isLast(ctx: Ctx, { id, attempts }: ExportRow, error: unknown): Promise<boolean> {
  if (attempts < MOST_ATTEMPTS) return Promise.resolve(false)
  return ctx.transaction(async (ctx) => {
    const row = await lockExport(ctx.tx, ctx.tenantId, id)
    if (row && row.finished_at === null)
      await fail(ctx, row, error instanceof StorageFull ? 'storage_full' : 'unexpected')
    return true
  })
}

async function fail(ctx: Ctx, row: ExportRow, error: ExportError): Promise<void> {
  const after = await updateExport(ctx.tx, row, { error, ...ended(ctx) })
  await ctx.emit(exportFailed, { before: recordExport(row), after: recordExport(after) })
}

const ended = ({ clock }: Ctx): ExportChange => ({
  finished_at: clock.now(),
  expires_at: fromNow(clock, KEPT_MS),
  updated_at: clock.now(),
})
