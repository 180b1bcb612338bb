import { type Ctx, EMAIL, type Unsubscribers } from '#kernel'
import { findMember } from '../../members/index.ts'
import { preferencesUpdated } from '../events.ts'
import type { PreferenceRow } from '../table.ts'
import { isFixed, isOn } from './choices.ts'
import { insertPreferences, lockPreferences, updatePreferences } from './preference-queries.ts'

/** Switches the mails of a kind off for whoever used the link of one. Does nothing where there is nothing to switch off. */
export const unsubscribers: Unsubscribers = {
  async unsubscribe(ctx, { kind: name, userId }) {
    const kind = ctx.registry.notifications.get(name)
    if (!kind || isFixed(kind, EMAIL) || !(await findMember(ctx.tx, ctx.tenantId, userId))) return
    await insertPreferences(ctx.tx, noChoice(ctx, userId))
    const before = await lockPreferences(ctx.tx, ctx.tenantId, userId)
    const choice = before.kinds[name]
    if (!isOn(kind, choice, EMAIL)) return
    const kinds = { ...before.kinds, [name]: { ...choice, channels: { ...choice?.channels, [EMAIL]: false } } }
    await updatePreferences(ctx.tx, { ...before, kinds, updated_at: ctx.clock.now() })
    const { quiet_hours } = before
    const about = { id: userId, label: ctx.actor.label, storeId: null }
    await ctx.emit(preferencesUpdated, {
      ...about,
      before: { kinds: before.kinds, quiet_hours },
      after: { kinds, quiet_hours },
    })
  },
}

function noChoice({ tenantId, clock }: Ctx, userId: string): PreferenceRow {
  const now = clock.now()
  return { tenant_id: tenantId, id: userId, kinds: {}, quiet_hours: null, created_at: now, updated_at: now }
}
