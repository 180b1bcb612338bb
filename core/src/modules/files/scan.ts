import {
  Closed,
  type Ctx,
  DAYS,
  defineJob,
  every,
  everyTenant,
  fromNow,
  HOURS,
  type Scanner,
  ScannerError,
  type ScanResult,
  Uuid,
} from '#kernel'
import { fileLocked } from './errors.ts'
import { fileScanned } from './events.ts'
import { presentFile } from './present.ts'
import { findFile, listTenantsUnscanned, listUnscanned, lockFile, updateFile, updateScanRetry } from './queries.ts'
import type { FileRow } from './table.ts'

/** Has a file scanned. Until the scanner has said something it stays where it is; a scanner that is not there is asked again. */
export const scanFile = defineJob('files.scan', {
  payload: Closed({ id: Uuid }),
  maxAttempts: 25,
  leaseMs: 15 * 60_000,
  transaction: 'manual',
  outbound: true,
  handler: (ctx, { id }) => scan(ctx, id),
})

/** Every hour: files that wait although their job was given up, since the scanner was away for long, are scanned after all. */
export const scanWaiting = every('41 * * * *', 'files.scan_waiting', async (ctx) => {
  if (!ctx.scanner) return
  const due = { now: ctx.clock.now(), uploadedBefore: fromNow(ctx.clock, -TRIED_MS) }
  await everyTenant(ctx, {
    name: 'files.scan_waiting',
    list: (tx, page) => listTenantsUnscanned(tx, due, page),
    work: async (ctx) => {
      const ids = (await listUnscanned(ctx.tx, ctx.tenantId, { ...due, limit: MOST_WAITING })).map(({ id }) => id)
      // Whatever becomes of these jobs, others have their turn before.
      await updateScanRetry(ctx.tx, ctx.tenantId, ids, fromNow(ctx.clock, TRIED_MS))
      for (const id of ids) await ctx.enqueue(scanFile, { id }, keyOf(id))
    },
  })
})

/** Of one tenant in one run. */
const MOST_WAITING = 1_000
/** A job that has failed is tried again within this time, as long as it is not given up; a worker may be late. */
const TRIED_MS = 8 * HOURS
/** A scanner that takes nothing as large may have been set up otherwise since. */
const TOO_LARGE_MS = 7 * DAYS

/** Has a file scanned after the commit, and not twice at once. */
export const enqueueScan = (ctx: Ctx, id: string): Promise<void> => ctx.enqueue(scanFile, { id }, keyOf(id))

const keyOf = (id: string) => ({ dedupeKey: `files.scan:${id}` })

async function scan(ctx: Ctx, id: string): Promise<void> {
  const file = await ctx.transaction(({ tx, tenantId }) => findFile(tx, tenantId, id), { readOnly: true })
  if (file?.scan_status !== 'pending') return
  if (!ctx.scanner) throw new Error('A file waits for a scanner, and there is none: set CLAMAV_URL')
  const verdict = await ask(ctx, ctx.scanner, file)
  if (verdict) await ctx.transaction((ctx) => note(ctx, file, verdict.clean ? null : verdict.threat))
}

/** Null for a file that the scanner does not take: it stays locked, and trying on would send as much for nothing. */
async function ask(ctx: Ctx, scanner: Scanner, file: FileRow): Promise<ScanResult | null> {
  try {
    return await scanner.scan(ctx.storages.of(file.storage_backend).read(file.storage_path))
  } catch (error) {
    const isTooLarge = error instanceof ScannerError && error.reason === 'too_large'
    const retryAt = fromNow(ctx.clock, isTooLarge ? TOO_LARGE_MS : TRIED_MS)
    await ctx.transaction(({ tx, tenantId }) => updateScanRetry(tx, tenantId, [file.id], retryAt))
    if (!isTooLarge) throw error
    ctx.log.warn(
      { err: error, file: file.id, bytes: file.size },
      'a file stays locked: it is larger than the scanner takes',
    )
    return null
  }
}

async function note(ctx: Ctx, { id, tenant_id }: FileRow, threat: string | null): Promise<void> {
  const before = await lockFile(ctx.tx, tenant_id, id)
  const change = {
    scan_status: threat === null ? ('clean' as const) : ('infected' as const),
    updated_at: ctx.clock.now(),
  } // words
  const after = await updateFile(ctx.tx, before, change)
  await ctx.emit(fileScanned, {
    before: presentFile(ctx, before),
    after: presentFile(ctx, after),
    label: threat === null ? after.filename : `${after.filename}: ${threat}`,
    storeId: after.store_id,
  })
}

/** When to ask again about a file that is being scanned, in seconds. */
const SCANNED_SOON = '5'

/** Throws 423 while a file must not leave the storage: only what the scanner has found clean does, where there is one. */
export function requireClean({ scan_status }: Pick<FileRow, 'scan_status'>): void {
  if (scan_status === 'none' || scan_status === 'clean') return
  if (scan_status === 'infected')
    throw fileLocked({ detail: 'The scanner has found something in this file: it stays locked away' })
  throw fileLocked({ detail: 'This file is still being scanned', headers: { 'retry-after': SCANNED_SOON } })
}
