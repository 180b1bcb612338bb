import { atQuery, type Core, type Ctx, DAYS, type FieldProblem, momentAt } from '#kernel'
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
export async function readUsage(ctx: Ctx, id: string, { from, to = today(ctx) }: Span): Promise<Usage> {
  await getKey(ctx.tx, ctx.tenantId, id)
  return { data: await listUsage(ctx.tx, ctx.tenantId, id, { from: from ?? daysBefore(to, USUAL_DAYS - 1), to }) }
}

/** A `checkQuery`: a span that ends before it begins, or is too long. */
export function* checkSpan(
  { from, to }: { readonly from?: unknown; readonly to?: unknown },
  core: Pick<Core, 'clock'>,
): Generator<FieldProblem> {
  // What is no day is said by the schema, and compares as neither more nor less.
  const [first, last] = [Date.parse(String(from)), Date.parse(String(to ?? today(core)))]
  if (first > last) yield atQuery('from', 'must not be after `to`, which is today unless given')
  else if (last - first >= MOST_DAYS * DAYS)
    yield atQuery('from', `must be at most ${MOST_DAYS - 1} days before \`to\``)
}

const today = ({ clock }: Pick<Core, 'clock'>) => clock.now().slice(0, 10)

/** Never before the first day that a date can name. */
const daysBefore = (day: string, days: number) =>
  momentAt(Math.max(Date.parse(day) - days * DAYS, Date.parse('0001-01-01'))).slice(0, 10)
