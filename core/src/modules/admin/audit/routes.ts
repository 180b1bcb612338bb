import { Readable } from 'node:stream'
import {
  Answer,
  Closed,
  type Ctx,
  defineRoute,
  outsideTenants,
  Page,
  type Route,
  type StreamBody,
  Streamed,
  Type,
} from '#kernel'
import {
  AuditLog,
  listAuditLogsEverywhere,
  WideAuditLogQuery,
  type WideFilters,
  writeAuditLogsEverywhere,
} from '../../audit/index.ts'
import { CSV, wantsCsv } from '../export.ts'
import { auditExportedEverywhere } from './events.ts'

const JSON_LIST = 'application/json; charset=utf-8'
const system = { role: 'system', tenantId: null } as const // words are types

const listRoute = defineRoute({
  method: 'GET',
  path: '/admin/audit',
  name: 'listAllAuditLogs',
  summary: 'List what happened in all tenants and in the installation',
  description:
    'Newest first, with the filters of `GET /audit` and two more. By `q`, `store.*` or a kind of `actor` alone a page may be short, even empty, and still have a `next_cursor`: 50,000 records and more were looked at. With `Accept: text/csv` all that the filters let through come as one file, whatever `limit` and `cursor` say; that is recorded.',
  access: { operator: ['support', 'operations'] },
  transaction: 'manual',
  headers: Closed({
    accept: Type.Optional(Type.String({ description: '`text/csv` for a file', examples: ['text/csv'] })),
  }),
  query: WideAuditLogQuery,
  produces: {
    [JSON_LIST]: Page(AuditLog),
    [CSV]: Type.String({
      description: 'RFC 4180, with a first line of names, every text in quotes, objects as JSON; no cell is a formula',
      examples: ['"id","created_at","tenant_id"\r\n'],
    }),
  },
  response: { 200: Streamed },
  handler: async (ctx, { query: { limit, cursor, ...filters }, headers }) => {
    if (wantsCsv(headers.accept)) return exportEverywhere(ctx, filters)
    const list = await ctx.transaction((ctx) => listAuditLogsEverywhere(ctx, filters), { ...system, readOnly: true })
    return new Answer(200, JSON.stringify(list) as never, { 'content-type': JSON_LIST, vary: 'accept' }) // sent as it is
  },
})

/** A file that is read as fast as the client takes it. Recorded once it is sent. */
function exportEverywhere(ctx: Ctx, filters: WideFilters): Answer<StreamBody> {
  const pieces = writeAuditLogsEverywhere(ctx, filters)
  const open = async () => {
    const after = { filters: { ...filters } }
    await ctx.transaction(
      (ctx) => outsideTenants(ctx).emit(auditExportedEverywhere, { id: null, after, storeId: null }),
      system,
    )
    return Readable.from(pieces, { objectMode: false, highWaterMark: 1 })
  }
  return new Answer(200, open, {
    'content-type': CSV,
    'content-disposition': `attachment; filename="audit-${ctx.clock.now().slice(0, 'YYYY-MM-DD'.length)}.csv"`,
    vary: 'accept',
  })
}

export const auditRoutes: readonly Route[] = [listRoute]
