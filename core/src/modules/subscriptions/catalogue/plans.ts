import { isDeepStrictEqual } from 'node:util'
import {
  type Ctx,
  conflict,
  type Declared,
  type FieldProblem,
  newRow,
  notFound,
  onViolation,
  page,
  pickFields,
} from '#kernel'
import { PLAN_AFTER_TRIALS, TRIAL_PLAN } from '../life/trial.ts'
import { presentPlan } from '../present.ts'
import type { PlanRow } from '../table.ts'
import { forgetRates } from '../terms/rollouts.ts'
import { atName, problemOfFeature, problemOfLimit, refuse } from '../terms/wishes.ts'
import { countSubscriptions, deletePlan, findPlan, insertPlan, lockPlan, selectPlans, updatePlan } from './queries.ts'
import { type NewPlan, type OfferedPlan, type PlanPatch, PlanRecord } from './schema.ts'

// All of it is for operators, as the system role and outside of tenants.

/** A plan before and after a change; the same object twice where nothing changed. */
export interface PlanRevision {
  before: PlanRecord
  after: PlanRecord
}

/** One page of all plans, also private ones and those that are not active: the newest first. */
export async function browsePlans(ctx: Ctx): Promise<{ data: OfferedPlan[]; next_cursor: string | null }> {
  const { data, next_cursor } = await page(ctx, selectPlans(ctx.tx), { by: ['created_at', 'id'] })
  return { data: await withCounts(ctx, data), next_cursor }
}

/** Throws 404. */
export async function inspectPlan(ctx: Ctx, id: string): Promise<OfferedPlan> {
  const row = await findPlan(ctx.tx, id.toLowerCase())
  const [plan] = row ? await withCounts(ctx, [row]) : []
  if (!plan) throw notFound()
  return plan
}

/** Makes a plan that can be chosen. Throws 409 `conflict` for a code that is taken, 422 `terms_invalid`. */
export async function createPlan(ctx: Ctx, wanted: NewPlan): Promise<PlanRecord> {
  refuse(problemsOf(ctx, wanted))
  const plan = await insertPlan(ctx.tx, {
    ...DEFAULTS,
    ...wanted,
    ...newRow(ctx),
    limits: wanted.limits ?? {},
    features: wanted.features ?? {},
  })
  if (!plan) throw codeTaken()
  return record(plan)
}

const DEFAULTS = {
  description: '',
  interval: 'month',
  trial_days: 0,
  is_public: false,
  is_active: true,
} as const // words are types

/**
 * Changes a plan; of limits and features those that are named. What it allows counts from the next request on, and takes
 * nothing from anybody. Throws 404, 422 `terms_invalid`, 409 `conflict` for a change that somebody relies on: of the price of a
 * plan in use, of a code that is, or of a plan that tenants begin with.
 */
export async function revisePlan(ctx: Ctx, id: string, patch: PlanPatch): Promise<PlanRevision> {
  refuse(problemsOf(ctx, patch))
  const row = await getLocked(ctx, id)
  const next: PlanRow = {
    ...row,
    ...patch,
    limits: { ...row.limits, ...patch.limits },
    features: { ...row.features, ...patch.features },
  }
  const before = record(row)
  if (isDeepStrictEqual(before, record(next))) return { before, after: before }
  requireBeginning(next, row)
  if (next.code !== row.code && isNamed(ctx, row.code)) throw conflict({ detail: NAMED })
  const saved = await onViolation(updatePlan(ctx.tx, { ...next, updated_at: ctx.clock.now() }), {
    plans_code_key: codeTaken,
  })
  // Asked after the change, which a cluster takes no more once all tenants were asked.
  const fixed = FIXED.filter((field) => next[field] !== row[field])
  if (fixed.length > 0 && (await isInUse(ctx, row.id)))
    throw conflict({ detail: `Tenants have this plan, so this stays: ${fixed.join(', ')}. Make a new plan` })
  await forgetRates(ctx, ...Object.keys(patch.limits ?? {}))
  return { before, after: record(saved) }
}

/** What stays while somebody has the plan, or will have it. */
const FIXED = ['code', 'price_cents', 'currency', 'interval'] as const // fields

/** Throws 404, 409 `conflict` for one that somebody has, had, or is to have, that tenants begin with, or that a module names. */
export async function removePlan(ctx: Ctx, id: string): Promise<PlanRecord> {
  const row = await getLocked(ctx, id)
  if (isBeginning(row.code)) throw conflict({ detail: BEGINNING })
  if (isNamed(ctx, row.code)) throw conflict({ detail: NAMED })
  // Who has it, and who is to have it, refers to its row.
  await onViolation(deletePlan(ctx.tx, row.id), {
    subscriptions_plan_id_fkey: planInUse,
    subscriptions_pending_plan_id_fkey: planInUse,
  })
  return record(row)
}

async function getLocked(ctx: Ctx, id: string): Promise<PlanRow> {
  const row = await lockPlan(ctx.tx, id.toLowerCase())
  if (!row) throw notFound()
  return row
}

const isBeginning = (code: string) => code === TRIAL_PLAN || code === PLAN_AFTER_TRIALS

/** Throws 409 for a change of a plan after which new tenants could not begin with it. */
function requireBeginning(next: PlanRow, row: PlanRow): void {
  if (!isBeginning(row.code)) return
  if (next.code !== row.code || !next.is_active) throw conflict({ detail: BEGINNING })
  if (row.code === TRIAL_PLAN && next.trial_days < 1)
    throw conflict({ detail: 'New tenants try this plan: TRIALS_PER_PERSON=0 ends trials' })
  if (row.code === PLAN_AFTER_TRIALS && next.price_cents > 0)
    throw conflict({ detail: 'Tenants that have no trial begin with this plan, which costs nothing' })
}

/** Whether a module says by its code what the plan allows: the next start would miss it. */
const isNamed = ({ registry: { limits, features } }: Declared, code: string): boolean =>
  [...limits.values()].some(({ plans = {} }) => Object.hasOwn(plans, code)) ||
  [...features.values()].some(({ plans = [] }) => plans.includes(code))

async function isInUse(ctx: Ctx, id: string): Promise<boolean> {
  return (await countSubscriptions(ctx.tx, [id])).length > 0
}

const BEGINNING = 'New tenants begin with this plan'
const NAMED = 'Modules of this installation say by its code what this plan allows'
const codeTaken = () => conflict({ detail: 'There is a plan of this code already' })
const planInUse = () =>
  conflict({ detail: 'Tenants have this plan, or will have it; is_active: false ends choosing it' })

function problemsOf(ctx: Ctx, { limits = {}, features = {} }: Pick<PlanPatch, 'limits' | 'features'>): FieldProblem[] {
  const told = (field: string, name: string, problem: string | null) => (problem ? [atName(field, name, problem)] : [])
  return [
    ...Object.entries(limits).flatMap(([name, max]) => told('limits', name, problemOfLimit(ctx, name, max))),
    ...Object.keys(features).flatMap((name) => told('features', name, problemOfFeature(ctx, name))),
  ]
}

/** A plan as its row says, without what modules declare. */
const record = (row: PlanRow): PlanRecord => pickFields(PlanRecord, row)

async function withCounts(ctx: Ctx, rows: readonly PlanRow[]): Promise<OfferedPlan[]> {
  if (rows.length === 0) return []
  const counts = await countSubscriptions(
    ctx.tx,
    rows.map(({ id }) => id),
  )
  const byPlan = new Map(counts.map((each) => [each.plan_id, each]))
  return rows.map((row) => ({
    ...presentPlan(ctx, row),
    subscriptions: byPlan.get(row.id)?.subscriptions ?? 0,
    pending_subscriptions: byPlan.get(row.id)?.pending ?? 0,
  }))
}
