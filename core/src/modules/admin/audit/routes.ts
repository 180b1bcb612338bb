import { defineRoute, outsideTenants, Page, type Route, Streamed } from '#kernel'
import {
  AuditLog,
  listAuditLogsEverywhere,
  WideAuditLogQuery,
  type WideFilters,
  writeAuditLogsEverywhere,
} from '../../audit/index.ts'
import { answerList, asFile, type Filed } from '../list-file.ts'
import { auditExportedEverywhere } from './events.ts'

const listRoute = defineRoute({
  method: 'GET',
  path: '/admin/audit',
  name: 'listAllAuditLogs',
  summary: 'List what happened in all tenants and in the installation',
  description:
    'Newest first, with the filters of `GET /audit` and two more. By `q`, `store.*` or a kind of `actor` alone a page may be short, even empty, and still have a `next_cursor`: 50,000 records and more were looked at. With `Accept: text/csv` all that the filters let through come as one file, whatever `limit` and `cursor` say; that is recorded.',
  access: { operator: ['support', 'operations'] },
  ...asFile(Page(AuditLog)),
  query: WideAuditLogQuery,
  response: { 200: Streamed },
  handler: (ctx, { query: { limit, cursor, ...filters }, headers }) => answerList(ctx, headers, auditList(filters)),
})

const auditList = (filters: WideFilters): Filed<AuditLog> => ({
  name: 'audit',
  page: (ctx) => listAuditLogsEverywhere(ctx, filters),
  write: (ctx) => writeAuditLogsEverywhere(ctx, filters),
  record: (ctx) =>
    outsideTenants(ctx).emit(auditExportedEverywhere, { id: null, after: { filters: { ...filters } }, storeId: null }),
})

export const auditRoutes: readonly Route[] = [listRoute]
