import { type Ctx, HOURS, pickFields } from '#kernel'
import { type LinkHolder, urlOf } from './links.ts'
import type { TenantExport } from './schema.ts'
import { TenantExportFacts } from './schema.ts'
import type { ExportRow } from './table.ts'

/** What records keep of it. */
export function recordExport(row: ExportRow): TenantExportFacts {
  return pickFields(TenantExportFacts, { ...row, job_id: row.id, status: statusOf(row) })
}

/** What records of the installation keep of it. */
export const forOperators = ({ tenant_id, id }: Pick<ExportRow, 'tenant_id' | 'id'>) => ({ id: tenant_id, job_id: id })

/** With a link for the caller. */
export function presentExport(ctx: Ctx, row: ExportRow, holder: LinkHolder): TenantExport {
  const { tables_done, tables_total, rows_done, files_done, files_total } = row
  const link = row.storage_path !== null && isKept(ctx, row) ? urlOf(ctx, row, { holder, forMs: LINK_MS }) : null
  return {
    ...recordExport(row),
    progress: { tables_done, tables_total, rows_done, files_done, files_total },
    url: link?.url ?? null,
    url_expires_at: link?.expires_at ?? null,
  }
}

const LINK_MS = 1 * HOURS

/** Whether it can still be had: what has expired is removed within the hour. */
export const isKept = ({ clock }: Pick<Ctx, 'clock'>, { expires_at }: ExportRow): boolean =>
  expires_at === null || Date.parse(expires_at) > clock.ms()

function statusOf({ started_at, finished_at, error }: ExportRow): TenantExportFacts['status'] {
  if (finished_at !== null) return error === null ? 'done' : 'failed'
  return started_at === null ? 'queued' : 'running'
}
