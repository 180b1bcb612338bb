import { Closed, defineRoute, Page, Streamed, Type, Uuid } from '#kernel'
import { exportRecords, writings } from './exporting.ts'
import { getAuditLog, listAuditLogs } from './operations.ts'
import { AuditLog, AuditLogQuery, ExportQuery } from './schema.ts'

const listRoute = defineRoute({
  method: 'GET',
  path: '/audit',
  summary: 'List what happened',
  description: 'Newest first. Filters combine: all that are given must hold.',
  access: { permission: 'audit.view' },
  query: AuditLogQuery,
  response: { 200: Page(AuditLog) },
  handler: (ctx, { query }) => listAuditLogs(ctx, query),
})

const getRoute = defineRoute({
  method: 'GET',
  path: '/audit/:id',
  summary: 'Get one record of what happened',
  access: { permission: 'audit.view' },
  params: Closed({ id: Uuid }),
  response: { 200: AuditLog },
  handler: (ctx, { params }) => getAuditLog(ctx, params.id),
})

const exportRoute = defineRoute({
  method: 'GET',
  path: '/audit/export',
  summary: 'Export what happened as a file',
  description: 'Newest first, with the filters of the list. The export is itself recorded.',
  access: { permission: 'audit.export' },
  query: ExportQuery,
  transaction: 'manual',
  produces: {
    [writings.csv.contentType]: Type.String({
      description:
        'RFC 4180, with a first line of names. Objects are JSON; an apostrophe stands before what a spreadsheet would take for a formula',
      examples: ['id,tenant_id,user_id,actor,action\r\n'],
    }),
    [writings.json.contentType]: Type.Array(AuditLog),
    [writings.ndjson.contentType]: Type.String({ description: 'A line of JSON for each AuditLog', examples: ['{}\n'] }),
  },
  response: { 200: Streamed },
  handler: (ctx, { query: { format = 'csv', ...filters } }) => exportRecords(ctx, filters, format),
})

export const routes = [listRoute, getRoute, exportRoute]
