import { type Ctx, type PageOf, readCursor, writeCursor } from '#kernel'
import { writings } from '../export.ts'
import { type Criteria, criteriaOf } from '../filters.ts'
import { presentRecord } from '../present.ts'
import type { AuditLog, WideFilters } from '../schema.ts'
import { type Found, readEverywhere, type Whose } from './read.ts'

/** Records read and written at once. */
const BATCH = 500

/**
 * The requested page of the records of all tenants and of the installation, newest first. Where no index holds what is
 * looked for, a page may be short of what is asked for and still have a next one. Called as the system role.
 */
export async function listAuditLogsEverywhere(ctx: Ctx, filters: WideFilters): Promise<PageOf<AuditLog>> {
  const { cursor, fingerprint, limit } = ctx.list
  const place = cursor === null ? [null] : readCursor(ctx.secrets, fingerprint, { cursor, length: 1 })
  // One more shows whether there is another page.
  const reading = { beforeId: place[0] ?? null, limit: limit + 1 }
  const { rows, end } = await readEverywhere(ctx, whoseOf(filters), criteriaOf(filters), reading)
  const data = rows.slice(0, limit)
  const next = rows.length > limit ? (data.at(-1)?.id ?? null) : end
  return {
    data: data.map(presentRecord),
    next_cursor: next === null ? null : writeCursor(ctx.secrets, fingerprint, [next]),
  }
}

/**
 * The same as CSV in pieces of one batch each, which is read as fast as it is taken, in transactions of its own: the context
 * has none. Throws 400 for an invalid time before the first piece.
 */
export function writeAuditLogsEverywhere(ctx: Ctx, filters: WideFilters): AsyncGenerator<Buffer> {
  return write(ctx, whoseOf(filters), criteriaOf(filters))
}

async function* write(ctx: Ctx, whose: Whose, criteria: Criteria): AsyncGenerator<Buffer> {
  const { csv } = writings
  yield Buffer.from(csv.head)
  for (let beforeId: string | null = null; ; ) {
    const reading = { beforeId, limit: BATCH }
    const found: Found = await ctx.transaction((ctx) => readEverywhere(ctx, whose, criteria, reading), {
      role: 'system',
      tenantId: null,
      readOnly: true,
    })
    const lines = found.rows.map((row) => csv.record(presentRecord(row), false))
    if (lines.length > 0) yield Buffer.from(lines.join(''))
    if (found.end === null) return
    beforeId = found.end
  }
}

const whoseOf = ({ tenant_id }: WideFilters): Whose => (tenant_id === INSTALLATION ? null : tenant_id?.toLowerCase())

/** What `tenant_id` says for the records that are of no tenant. */
const INSTALLATION = 'none'
