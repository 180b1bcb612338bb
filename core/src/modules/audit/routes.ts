import { Readable } from 'node:stream'
import { Answer, Closed, defineRoute, Page, rateLimited, Short, Streamed, Type, Uuid } from '#kernel'
import { exportRecords, writings } from './export.ts'
import { getAuditLog, listAuditLogs } from './operations.ts'
import { AuditLog, AuditLogQuery, CheckpointKey, ExportQuery, PeriodQuery, VerifiedAudit } from './schema.ts'
import { checkpointKeys } from './seals/checkpoint-keys.ts'
import { checkProof, exportProof } from './seals/proof.ts'
import { beginVerifying } from './seals/verification-lease.ts'

const listRoute = defineRoute({
  method: 'GET',
  path: '/audit',
  name: 'listAuditLogs',
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
  name: 'getAuditLog',
  summary: 'Get one record of what happened',
  access: { permission: 'audit.view' },
  params: Closed({ id: Uuid }),
  response: { 200: AuditLog },
  handler: (ctx, { params }) => getAuditLog(ctx, params.id),
})

const exportRoute = defineRoute({
  method: 'GET',
  path: '/audit/export',
  name: 'exportAuditLogs',
  summary: 'Export what happened as a file',
  description:
    'Newest first, with the filters of the list; with `proof` what is sealed, oldest first. The export is itself recorded.',
  access: { permission: 'audit.export' },
  impersonation: 'refused',
  query: ExportQuery,
  checkQuery: checkProof,
  transaction: 'manual',
  produces: {
    [writings.csv.contentType]: Type.String({
      description:
        'RFC 4180, with a first line of names, every text in quotes. Objects are JSON; an apostrophe stands before what a spreadsheet would take for a formula, whatever it splits at; in JSON that character is an escape',
      examples: ['"id","created_at","tenant_id","user_id","actor"\r\n'],
    }),
    [writings.json.contentType]: Type.Array(AuditLog),
    [writings.ndjson.contentType]: Type.String({
      description: 'A line of JSON for each AuditLog; with `proof` another one for each seal',
      examples: ['{}\n'],
    }),
  },
  response: { 200: Streamed },
  handler: (ctx, { query: { format = 'csv', proof = false, ...filters } }) =>
    proof ? exportProof(ctx, filters, format) : exportRecords(ctx, filters, format),
})

const VERDICT = 'application/json; charset=utf-8'

const verifyRoute = defineRoute({
  method: 'GET',
  path: '/audit/verify',
  name: 'verifyAuditLogs',
  summary: 'Check that what happened is still recorded as it was sealed',
  description:
    'Goes through all sealed records, or the blocks that hold those from `from` to before `to`, and names the first that was changed, removed, inserted or reordered. While it works, spaces are sent ahead of the JSON. One runs at a time: ask again, then, for its answer, which is kept for 5 minutes.',
  access: { permission: 'audit.view' },
  // It notes that it runs, and what came of it.
  impersonation: 'always',
  query: PeriodQuery,
  transaction: 'manual',
  produces: { [VERDICT]: VerifiedAudit },
  errors: [rateLimited],
  response: { 200: Streamed },
  handler: async (ctx, { query }) => {
    const { steps, stop } = await beginVerifying(ctx, query)
    const pieces = Readable.from(asJson(steps), { objectMode: false, highWaterMark: 1 })
    pieces.once('close', stop)
    return new Answer(200, pieces, {
      'content-type': VERDICT,
      'cache-control': 'no-store',
    })
  },
})

/** A space for each step: it shows that work goes on, and a client that has gone is noticed. */
async function* asJson(steps: AsyncGenerator<void, VerifiedAudit>): AsyncGenerator<Buffer> {
  for (;;) {
    const step = await steps.next()
    yield Buffer.from(step.done ? JSON.stringify(step.value) : ' ')
    if (step.done) return
  }
}

const keysRoute = defineRoute({
  method: 'GET',
  path: '/audit/keys',
  summary: 'List the keys that seals are signed with',
  description: 'The one that signs comes first. Keep it elsewhere: it tells a genuine export from a made-up one.',
  access: { permission: 'audit.view' },
  response: { 200: Short(CheckpointKey) },
  handler: (ctx) => ({
    data: ctx
      .use(checkpointKeys)
      .all.map(({ key_id: kid, public_key }) => ({ kid, algorithm: 'Ed25519' as const, public_key })), // the one there is
  }),
})

export const auditRoutes = [listRoute, getRoute, exportRoute, verifyRoute, keysRoute]
