import { type Ctx, fromNow, MINUTES, newId, SECONDS } from '#kernel'
import { lockTenantIfThere } from '../../tenants/index.ts'
import { type Lease, listDue, updateClaimed, updateProgress } from '../queries.ts'
import type { Progress, RemovalRow } from '../table.ts'

/** A claim is prolonged with each step; a process that died is noticed after this time. */
const LEASE_MS = 60 * SECONDS
/** No claim and no retry is later than this, allowing for clocks that differ; one that is was made by a wrong clock. */
const FURTHEST_MS = 30 * MINUTES
/** A statement takes no more rows, and is to take no longer. */
const MOST_ROWS = 1000
const LONGEST_MS = 200

const system = { role: 'system', tenantId: null } as const // a literal of TransactionOptions

/** A removal that this process is at. */
export interface Run {
  readonly ctx: Ctx
  readonly removal: RemovalRow
  readonly tenantId: string
  /** As it was last stored. */
  progress: Progress
  /** How many rows the next statement takes. */
  most: number
  /** Until when it goes on, on the scale of `performance.now()`. */
  readonly until: number
  /** Whether it has come any further than the run before. */
  hasDone: boolean
}

/** Another process is at it. */
export class TakenOver extends Error {
  override name = 'TakenOver'

  constructor() {
    super('Another process has taken the removal over')
  }
}

/** So much for now: it goes on with the next run. */
export class TimeIsUp extends Error {
  override name = 'TimeIsUp'

  constructor() {
    super('It goes on later')
  }
}

export const dueMoments = ({ clock }: Pick<Ctx, 'clock'>) => ({
  now: clock.now(),
  furthest: fromNow(clock, FURTHEST_MS),
})

/**
 * Claims the removal that has been due for longest, and has it begin where it has not: from then on it cannot be undone. Undefined: there
 * is none that nobody is at.
 */
export async function claimNext(ctx: Ctx, budgetMs: number): Promise<Run | undefined> {
  const until = performance.now() + budgetMs
  const due = await ctx.transaction(({ tx }) => listDue(tx, dueMoments(ctx), 20), { ...system, readOnly: true })
  for (const { tenant_id: tenantId } of due) {
    const lease: Lease = { ...dueMoments(ctx), token: newId(), until: fromNow(ctx.clock, LEASE_MS) }
    const removal = await ctx.transaction(async ({ tx }) => {
      // As who undoes it: of both one is first.
      const tenant = await lockTenantIfThere(tx, tenantId)
      return tenant?.status === 'deleted' ? updateClaimed(tx, tenantId, lease) : undefined
    }, system)
    if (removal)
      return { ctx, removal, tenantId, progress: removal.progress, most: MOST_ROWS / 2, until, hasDone: false }
  }
  return undefined
}

/**
 * One step, in a transaction of the system role and no tenant: what it does and how far it has come are one commit. `work` changes the
 * copy of the progress that it is given. Throws `TakenOver`, and then nothing was done.
 */
export async function step<T>(run: Run, work: (ctx: Ctx, progress: Progress) => Promise<T>): Promise<T> {
  const { ctx, removal } = run
  const begun = performance.now()
  let progress = run.progress
  const result = await ctx.transaction(async (inner) => {
    progress = structuredClone(run.progress)
    const done = await work(inner, progress)
    if (!(await updateProgress(inner.tx, removal, fromNow(ctx.clock, LEASE_MS), progress))) throw new TakenOver()
    return done
  }, system)
  run.progress = progress
  keepPace(run, performance.now() - begun)
  return result
}

/** After a step that did so much. Throws `TimeIsUp`, but only once something was done: however slow it is, each run comes further. */
export function goOn(run: Run, done: number): void {
  if (done > 0) run.hasDone = true
  if (run.hasDone && performance.now() >= run.until) throw new TimeIsUp()
}

function keepPace(run: Run, tookMs: number): void {
  if (tookMs > LONGEST_MS) run.most = Math.max(1, Math.floor(run.most / 2))
  else if (tookMs < LONGEST_MS / 2) run.most = Math.min(MOST_ROWS, run.most * 2)
}

/** Adds to the rows that were removed from a table. */
export function countRows(progress: Progress, table: string, rows: number): void {
  if (rows === 0) return
  const counts = progress.rows ?? {}
  progress.rows = { ...counts, [table]: (counts[table] ?? 0) + rows }
}
