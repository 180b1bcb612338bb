import { at, type Ctx, type Declared, type FieldProblem, momentAt, notFound, page, pickFields } from '#kernel'
import type { RolloutRow } from '../table.ts'
import { deleteRollout, findRollout, insertRollout, lockRollout, selectAllRollouts, updateRollout } from './queries.ts'
import { Rollout, type RolloutPatch } from './schema.ts'
import { problemOfFeature, problemOfLimit, refuse } from './wishes.ts'

/** A rollout before and after a change; `before` null: there was none. */
export interface RolloutChange {
  before: Rollout | null
  after: Rollout
}

/** One page of all rollouts, the newest first. */
export async function browseRollouts(ctx: Ctx): Promise<{ data: Rollout[]; next_cursor: string | null }> {
  const { data, next_cursor } = await page(ctx, selectAllRollouts(ctx.tx), { by: ['created_at', 'name'] })
  return { data: data.map(presentRollout), next_cursor }
}

/** Throws 404. */
export async function getRollout(ctx: Ctx, name: string): Promise<Rollout> {
  const row = await findRollout(ctx.tx, name)
  if (!row) throw notFound()
  return presentRollout(row)
}

/**
 * Gives a share of all tenants a limit or a feature, whatever their plans say; a tenant's own override counts before it. What the
 * patch leaves out stays. Throws 404 for a name that no module declares, 422 `terms_invalid`.
 */
export async function setRollout(ctx: Ctx, name: string, patch: RolloutPatch): Promise<RolloutChange> {
  const kinds = kindsOf(ctx, name)
  const row = await lockRollout(ctx.tx, name)
  if (!row && kinds.length === 0) throw notFound()
  const now = ctx.clock.now()
  const wanted = { ...row, ...patch, ...(patch.until && { until: momentAt(Date.parse(patch.until)) }) }
  const { value, share, until = null } = wanted
  refuse(problemsOf(ctx, name, { value, share, until: patch.until ? until : null }, now))
  if (value === undefined || share === undefined) throw new Error('problemsOf lets nothing through that is missing') // for the types
  if (row && row.value === value && row.share === share && row.until === until) {
    const same = presentRollout(row)
    return { before: same, after: same }
  }
  const next = { name, value, share, until, updated_at: now }
  const saved = row ? await updateRollout(ctx.tx, next) : await insertRollout(ctx.tx, { ...next, created_at: now })
  // Somebody else has made it just now: this is a change of theirs.
  if (!saved) return setRollout(ctx, name, patch)
  await forgetRates(ctx, name)
  return { before: row ? presentRollout(row) : null, after: presentRollout(saved) }
}

/** Ends a rollout. Throws 404. */
export async function removeRollout(ctx: Ctx, name: string): Promise<Rollout> {
  const row = await deleteRollout(ctx.tx, name)
  if (!row) throw notFound()
  await forgetRates(ctx, name)
  return presentRollout(row)
}

/** What is remembered of every tenant includes its requests per minute. */
export async function forgetRates(ctx: Ctx, ...names: string[]): Promise<void> {
  if (names.some((name) => ctx.registry.limits.get(name)?.per === 'minute')) await ctx.forget(null)
}

type Wanted = Partial<Pick<RolloutRow, 'value' | 'share' | 'until'>>

function* problemsOfValue(core: Declared, name: string, value: Wanted['value']): Generator<FieldProblem> {
  if (value === undefined) yield at('value', 'is required for a rollout that is new')
  else if (typeof value === 'boolean') {
    if (problemOfFeature(core, name)) yield at('value', 'must be a number or null: this is a limit')
  } else {
    const problem = core.registry.limits.has(name)
      ? problemOfLimit(core, name, value)
      : 'must be true or false: this is a feature'
    if (problem) yield at('value', problem)
  }
}

function problemsOf(core: Declared, name: string, { value, share, until }: Wanted, now: string): FieldProblem[] {
  const problems = [...problemsOfValue(core, name, value)]
  if (share === undefined) problems.push(at('share', 'is required for a rollout that is new'))
  if (until && until <= now) problems.push(at('until', 'has passed already'))
  return problems
}

const kindsOf = ({ registry }: Declared, name: string) =>
  [registry.limits, registry.features].filter((declared) => declared.has(name))

const presentRollout = (row: RolloutRow): Rollout =>
  pickFields(Rollout, { ...row, kind: typeof row.value === 'boolean' ? 'feature' : 'limit' })
