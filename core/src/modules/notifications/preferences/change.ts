import { isDeepStrictEqual } from 'node:util'
import type { Ctx } from '#kernel'
import { preferencesUpdated } from '../events.ts'
import type { PreferenceRow } from '../table.ts'
import { insertPreferences, lockPreferences, updatePreferences } from './preference-queries.ts'

/** Changes what a person has chosen; their row is locked first, and nothing is recorded where nothing differs. */
export async function changeChosen(
  ctx: Ctx,
  userId: string,
  changes: (before: PreferenceRow) => Partial<Pick<PreferenceRow, 'kinds' | 'quiet_hours'>>,
): Promise<PreferenceRow> {
  await insertPreferences(ctx.tx, noChoice(ctx, userId))
  const before = await lockPreferences(ctx.tx, ctx.tenantId, userId)
  const after: PreferenceRow = { ...before, ...changes(before), updated_at: ctx.clock.now() }
  if (isDeepStrictEqual(chosen(before), chosen(after))) return before
  await updatePreferences(ctx.tx, after)
  const about = { id: userId, label: ctx.actor.label, storeId: null }
  await ctx.emit(preferencesUpdated, { ...about, before: chosen(before), after: chosen(after) })
  return after
}

const chosen = ({ kinds, quiet_hours }: PreferenceRow) => ({ kinds, quiet_hours })

/** What somebody has who never chose. */
export function noChoice({ tenantId, clock }: Ctx, userId: string): PreferenceRow {
  const now = clock.now()
  return { tenant_id: tenantId, id: userId, kinds: {}, quiet_hours: null, created_at: now, updated_at: now }
}
