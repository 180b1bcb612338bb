import { atQuery, type Ctx, DAYS, type FieldProblem, momentAt } from '#kernel'
import { getKey } from '../queries.ts'
import type { Usage } from '../schema.ts'
import { listUsage } from './usage-queries.ts'

const USUAL_DAYS = 30
const MOST_DAYS = 400

interface Span {
  from?: string
  to?: string
}

/** What a key was used for by the day. Throws 404. */
export async function readUsage(
  ctx: Ctx,
  id: string,
  { from, to = ctx.clock.now().slice(0, 10) }: Span,
): Promise<Usage> {
  await getKey(ctx.tx, ctx.tenantId, id)
  return { data: await listUsage(ctx.tx, ctx.tenantId, id, { from: from ?? daysBefore(to, USUAL_DAYS - 1), to }) }
}

/** A `checkQuery`: a span that ends before it begins, or is too long. */
export function* checkSpan({ from, to }: { readonly from?: unknown; readonly to?: unknown }): Generator<FieldProblem> {
  if (typeof from !== 'string' || typeof to !== 'string') return
  if (from > to) yield atQuery('from', 'must not be after `to`')
  else if (Date.parse(to) - Date.parse(from) >= MOST_DAYS * DAYS)
    yield atQuery('from', `must be at most ${MOST_DAYS - 1} days before \`to\``)
}

const daysBefore = (day: string, days: number) => momentAt(Date.parse(day) - days * DAYS).slice(0, 10)
