import { type Ctx, fromNow, MINUTES, momentAt } from '#kernel'
import { LONG_MS, SHORT_MS } from './merge.ts'
import { findMerged, listNamed, listRanked, type NamedRow, type Ranked } from './queries.ts'
import type { Load, LoadWindow } from './schema.ts'
import { MEASURES, type Measure } from './table.ts'
import { throttleIn } from './throttle.ts'
import { loadWriter } from './writer.ts'

const MOST_SHOWN = 20
const QUARTER_MS = 15 * MINUTES

/** Which tenants make the installation work most. Called as the system role. */
export async function readLoad(ctx: Ctx, window: LoadWindow): Promise<Load> {
  const { tx } = ctx
  const { from, to } = window === '5m' ? lastMinutes(ctx) : await lastDay(ctx)
  const ranked = await listRanked(tx, window === '5m' ? from : null, MOST_SHOWN)
  const tops = ranked.filter(({ kind }) => kind === 'top')
  const tenants = await listNamed(tx, [...new Set(tops.map(({ tenant_id }) => tenant_id))])
  const known = new Map(tenants.map((row) => [row.id, row]))
  const totals = new Map(ranked.filter(({ kind }) => kind === 'total').map(({ measure, value }) => [measure, value]))
  const sharesOf = (measure: Measure) =>
    tops
      .filter((each) => each.measure === measure)
      .map((each) => shareOf(ctx, each, { total: totals.get(measure) ?? 0, tenant: known.get(each.tenant_id) }))
  return {
    window,
    from,
    to,
    complete: ctx.use(loadWriter).isOn && !ranked.some(({ kind }) => kind === 'others'),
    total: asMeasures((measure) => inUnit(measure, totals.get(measure) ?? 0)),
    by: asMeasures(sharesOf),
  }
}

interface Span {
  from: string
  to: string
}

const lastMinutes = ({ clock }: Ctx): Span => ({ from: beginOf(MINUTES, fromNow(clock, -SHORT_MS)), to: clock.now() })

/**
 * What the totals hold: to the first minute that is not merged yet, since that is a row of each tenant, which a day need not wait
 * for; from their first quarter of an hour where nobody has taken it off them yet.
 */
async function lastDay({ tx, clock }: Ctx): Promise<Span> {
  const begin = beginOf(QUARTER_MS, fromNow(clock, -LONG_MS))
  const { quarter, minute } = await findMerged(tx)
  return { from: least(begin, quarter), to: least(clock.now(), minute) }
}

const least = (moment: string, other: string | null) => (other !== null && other < moment ? other : moment)

const beginOf = (spanMs: number, moment: string) => momentAt(Math.floor(Date.parse(moment) / spanMs) * spanMs)

interface Place {
  total: number
  tenant: NamedRow | undefined
}

function shareOf(ctx: Ctx, { measure, tenant_id, value }: Ranked, { total, tenant }: Place) {
  return {
    tenant_id,
    name: tenant?.name ?? null,
    slug: tenant?.slug ?? null,
    value: Math.max(1, inUnit(measure, value)),
    share: Math.round((value / total) * 10_000) / 10_000,
    throttle: tenant ? throttleIn(ctx, tenant) : null,
  }
}

const inUnit = (measure: Measure, value: number) => (measure === 'db_us' ? Math.round(value / 1_000) : value)

function asMeasures<T>(read: (measure: Measure) => T) {
  const [db_ms, requests, rows_written, jobs, bytes, errors] = MEASURES.map(read) as [T, T, T, T, T, T] // one for each
  return { db_ms, requests, rows_written, jobs, bytes, errors }
}
