import { type Ctx, type PageOf, pageFrom } from '#kernel'
import { type Criteria, criteriaOf } from './filters.ts'
import { presentRecord } from './present.ts'
import { type AuditRow, getRecord } from './queries.ts'
import { type Reader, type Reading, readRecords } from './read.ts'
import type { AuditLog, Filters } from './schema.ts'
import { searchRecords } from './search/search.ts'

/** The requested page of the tenant's records, newest first. */
export async function listAuditLogs(ctx: Ctx, filters: Filters): Promise<PageOf<AuditLog>> {
  const criteria = criteriaOf(filters)
  const read = (after: readonly string[] | null, limit: number) =>
    findRecords(ctx, criteria, { beforeId: after?.[0] ?? null, limit })
  const { data, next_cursor } = await pageFrom(ctx, read)
  return { data: data.map(presentRecord), next_cursor }
}

/** The newest records before `beforeId` that match all criteria, newest first. */
export function findRecords(ctx: Reader, criteria: Criteria, reading: Reading): Promise<AuditRow[]> {
  return criteria.q === undefined ? readRecords(ctx, criteria, reading) : searchRecords(ctx, criteria, reading)
}

/** Throws 404 when the tenant has no such record. */
export async function getAuditLog(ctx: Ctx, id: string): Promise<AuditLog> {
  return presentRecord(await getRecord(ctx.tx, ctx.tenantId, id))
}
