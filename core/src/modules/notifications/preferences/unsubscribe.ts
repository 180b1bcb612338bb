import { type Ctx, EMAIL, type NotificationDefinition, type Unsubscribers } from '#kernel'
import { findMember } from '../../members/index.ts'
import { preferencesUpdated } from '../events.ts'
import { digestMail } from '../mails.ts'
import { listPeople } from '../queries.ts'
import type { PreferenceRow } from '../table.ts'
import { isFixed, isOn } from './choices.ts'
import { findPreferences, insertPreferences, lockPreferences, updatePreferences } from './preference-queries.ts'

/** Switches the mails of a kind off for whoever used the link of one. Does nothing where there is nothing to switch off. */
export const unsubscribers: Unsubscribers = {
  async unsubscribe(ctx, { kind: name, userId }) {
    if (kindsOf(ctx, name).length === 0 || !(await findMember(ctx.tx, ctx.tenantId, userId))) return
    await insertPreferences(ctx.tx, noChoice(ctx, userId))
    const before = await lockPreferences(ctx.tx, ctx.tenantId, userId)
    const ended = mailedBy(ctx, name, before)
    if (ended.length === 0) return
    const kinds = { ...before.kinds, ...Object.fromEntries(ended.map((kind) => [kind, withoutMail(before, kind)])) }
    await updatePreferences(ctx.tx, { ...before, kinds, updated_at: ctx.clock.now() })
    const { quiet_hours } = before
    const about = { id: userId, label: ctx.actor.label, storeId: null }
    await ctx.emit(preferencesUpdated, {
      ...about,
      before: { kinds: before.kinds, quiet_hours },
      after: { kinds, quiet_hours },
    })
  },

  async isEnded(ctx, { kind: name, userId }) {
    const only = { ids: [userId], holding: null, except: null, after: null, limit: 1 }
    const [people, preferences] = await Promise.all([
      listPeople(ctx.tx, ctx.tenantId, only),
      findPreferences(ctx.tx, ctx.tenantId, userId),
    ])
    return people.length === 0 || mailedBy(ctx, name, preferences).length === 0
  },
}

/** Kinds that a link may be about: the one that it names, or for a digest all that come in one. */
function kindsOf({ registry }: Pick<Ctx, 'registry'>, name: string): NotificationDefinition[] {
  const kinds = [...registry.notifications.values()].filter(({ kind, digest }) =>
    name === digestMail.kind ? digest : kind === name,
  )
  return kinds.filter((kind) => !isFixed(kind, EMAIL))
}

/** Those of them that a person has by mail now, or by a digest. */
function mailedBy(ctx: Ctx, name: string, preferences: PreferenceRow | undefined): string[] {
  const isIn = (choice?: PreferenceRow['kinds'][string]) => name !== digestMail.kind || choice?.digest === true
  return kindsOf(ctx, name)
    .filter((kind) => isOn(kind, preferences?.kinds[kind.kind], EMAIL) && isIn(preferences?.kinds[kind.kind]))
    .map(({ kind }) => kind)
}

function withoutMail({ kinds }: PreferenceRow, kind: string) {
  const choice = kinds[kind]
  return { ...choice, channels: { ...choice?.channels, [EMAIL]: false } }
}

function noChoice({ tenantId, clock }: Ctx, userId: string): PreferenceRow {
  const now = clock.now()
  return { tenant_id: tenantId, id: userId, kinds: {}, quiet_hours: null, created_at: now, updated_at: now }
}
