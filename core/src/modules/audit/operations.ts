import { type Ctx, DAYS, firstIdAt, type PageOf, page, timeOfId } from '#kernel'
import { type Criteria, criteriaOf } from './filtering.ts'
import { presentRecord } from './present.ts'
import { type AuditRow, getRecord, listRecords } from './queries.ts'
import type { AuditLog, Filters } from './schema.ts'

/** Most pages are full of records of one month, and a month is one partition, or two. */
const WINDOW_MS = 31 * DAYS

/** The page of the tenant's records that the request asks for, newest first. */
export async function listAuditLogs(ctx: Ctx, filters: Filters): Promise<PageOf<AuditLog>> {
  const criteria = criteriaOf(filters)
  const query = listRecords(ctx.tx, ctx.tenantId, criteria)
  const { data, next_cursor } = await page<'audit_logs', AuditRow>(ctx, query, {
    newest: (query, after) => query.where('id', '>=', windowBefore(ctx, criteria, after?.[0])),
  })
  return { data: data.map(presentRecord), next_cursor }
}

/** Throws 404 when the tenant has no such record. */
export async function getAuditLog(ctx: Ctx, id: string): Promise<AuditLog> {
  return presentRecord(await getRecord(ctx.tx, ctx.tenantId, id))
}

/** Where to look first: not further back than this from the last record seen, from `to`, or from now. */
function windowBefore(ctx: Ctx, { before }: Criteria, lastId: string | undefined): string {
  const id = lastId ?? before?.id
  return firstIdAt((id === undefined ? ctx.clock.ms() : timeOfId(id)) - WINDOW_MS)
}
