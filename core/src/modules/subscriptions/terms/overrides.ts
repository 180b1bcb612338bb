import { isDeepStrictEqual } from 'node:util'
import { type Ctx, conflict, type FieldProblem } from '#kernel'
import { overridesChanged } from '../events.ts'
import { lockSubscription } from '../queries.ts'
import type { SubscriptionRow } from '../table.ts'
import { updateOverrides } from './queries.ts'
import type { OverridesPatch, OverridesRecord } from './schema.ts'
import { inForce } from './terms.ts'
import { granted, problemOfFeature, problemOfLimit, refuse } from './wishes.ts'

/** Overrides before and after a change; the same object twice where nothing changed. */
export interface OverridesChange {
  before: OverridesRecord
  after: OverridesRecord
}

/**
 * Gives the tenant limits and features in place of what its plan says, and takes them away again; those that are not
 * named stay. Nothing is lost where that is less than is in use: there is no more until it fits. Called as the system role.
 * Throws 422 `terms_invalid`, 409 `conflict` for a tenant that has no subscription yet.
 */
export async function changeOverrides(ctx: Ctx, patch: OverridesPatch): Promise<OverridesChange> {
  // Who consumes waits for this lock, and finds what is given here.
  const row = await lockSubscription(ctx.tx, ctx.tenantId)
  if (!row) throw conflict({ detail: 'The tenant has no subscription yet; it is given one within the hour' })
  const now = ctx.clock.now()
  const errors: FieldProblem[] = []
  const after = {
    limits_override: granted(
      {
        field: 'limits_override',
        before: row.limits_override,
        wishes: patch.limits_override,
        now,
        problemOf: (name, value: number | null) => problemOfLimit(ctx, name, value),
      },
      errors,
    ),
    features_override: granted(
      {
        field: 'features_override',
        before: row.features_override,
        wishes: patch.features_override,
        now,
        problemOf: (name) => problemOfFeature(ctx, name),
      },
      errors,
    ),
  }
  refuse(errors)
  const before = presentOverrides(row, now)
  if (isDeepStrictEqual(before, after)) return { before, after: before }
  await updateOverrides(ctx.tx, ctx.tenantId, { ...after, id: row.id, updated_at: now })
  // What is remembered of the tenant includes its requests per minute.
  await ctx.forget({ tenantId: ctx.tenantId })
  await ctx.emit(overridesChanged, { id: row.id, before, after })
  return { before, after }
}

/** The overrides that have not ended. */
export const presentOverrides = (
  { limits_override, features_override }: Pick<SubscriptionRow, 'limits_override' | 'features_override'>,
  now: string,
): OverridesRecord => ({
  limits_override: Object.fromEntries(inForce(limits_override, now)),
  features_override: Object.fromEntries(inForce(features_override, now)),
})
