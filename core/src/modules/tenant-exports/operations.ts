import { type Ctx, notFound, stamp } from '#kernel'
import { exportRequested } from './events.ts'
import { writeTenantExport } from './jobs.ts'
import type { LinkHolder } from './links.ts'
import { isKept, presentExport, recordExport } from './present.ts'
import { findNewestExport, findOpenExport, insertExport } from './queries.ts'
import type { StartedExport, TenantExport } from './schema.ts'
import type { ExportRow } from './table.ts'

/** An open one may end at the moment that another one was not taken because of it. */
const TRIES = 5

/** Has an export of the tenant written by a job. While one is being written there is no other: it is the same one for everybody who asks. */
export async function startExport(ctx: Ctx): Promise<StartedExport> {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const row = await insertExport(ctx.tx, { ...stamp(ctx), requested_by: requesterOf(ctx) })
    if (row) return begin(ctx, row)
    const open = await findOpenExport(ctx.tx, ctx.tenantId)
    if (open) return { job_id: open.id }
  }
  throw new Error('Exports of the tenant end as fast as they begin')
}

async function begin(ctx: Ctx, row: ExportRow): Promise<StartedExport> {
  await ctx.enqueue(writeTenantExport, { id: row.id })
  await ctx.emit(exportRequested, { after: recordExport(row) })
  return { job_id: row.id }
}

/** Null: whoever runs the installation. */
const requesterOf = ({ actor, principal }: Ctx) => (actor.type === 'admin' ? null : (principal?.userId ?? null))

/** The export that was asked for last, with a link for the caller. Throws 404 when there is none (any more). */
export async function getExport(ctx: Ctx, holder: LinkHolder = 'owner'): Promise<TenantExport> {
  const row = await findNewestExport(ctx.tx, ctx.tenantId)
  if (!row || !isKept(ctx, row)) throw notFound({ detail: 'There is no export: ask for one' })
  return presentExport(ctx, row, holder)
}
