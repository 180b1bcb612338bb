import { Readable } from 'node:stream'
import { Answer, type Ctx, csvLine, type StreamBody } from '#kernel'
import { tenantsExported } from './events.ts'
import { presentListed } from './present.ts'
import { type AdminTenantRow, listAdminTenantsAfter } from './queries.ts'
import { ListedTenant, type TenantFilter } from './schema.ts'

export const CSV = 'text/csv; charset=utf-8; header=present'
const BATCH = 500
const columns = Object.keys(ListedTenant.properties) as (keyof ListedTenant)[] // the schema's own names
const system = { role: 'system', tenantId: null } as const // words are types

/** All tenants that match, as a file that is read as fast as the client takes it. Recorded once it is sent. */
export function exportTenants(ctx: Ctx, { q, status, plan_id }: TenantFilter): Answer<StreamBody> {
  const filter = { q, status, plan_id }
  const open = async () => {
    const after = { q: q ?? null, status: status ?? null, plan_id: plan_id ?? null }
    await ctx.transaction((ctx) => ctx.emit(tenantsExported, { id: null, after, storeId: null }), system)
    return Readable.from(write(ctx, filter), { objectMode: false, highWaterMark: 1 })
  }
  const name = `tenants-${ctx.clock.now().slice(0, 'YYYY-MM-DD'.length)}.csv`
  return new Answer(200, open, {
    'content-type': CSV,
    'content-disposition': `attachment; filename="${name}"`,
    vary: 'accept',
  })
}

async function* write(ctx: Ctx, filter: TenantFilter): AsyncGenerator<Buffer> {
  yield Buffer.from(csvLine(columns))
  for (let after: string[] | null = null; ; ) {
    const rows: AdminTenantRow[] = await ctx.transaction(({ tx }) => listAdminTenantsAfter(tx, filter, after, BATCH), {
      ...system,
      readOnly: true,
    })
    const lines = rows.map((row) => presentListed(ctx, row)).map((each) => csvLine(columns.map((name) => each[name])))
    if (lines.length > 0) yield Buffer.from(lines.join(''))
    const last = rows.at(-1)
    if (!last || rows.length < BATCH) return
    after = [last.created_at, last.id]
  }
}

/** Whether a client would rather have a file than JSON: it says so, and not of everything. */
export const wantsCsv = (accept = ''): boolean => {
  const [type, ...parameters] = (accept.split(',')[0] ?? '').split(';').map((part) => part.trim().toLowerCase())
  // A weight of nothing is no wish.
  return type === 'text/csv' && !parameters.some((each) => /^q\s*=\s*0(?:\.0*)?$/.test(each))
}
