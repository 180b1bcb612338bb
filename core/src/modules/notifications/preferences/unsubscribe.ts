import { type Ctx, EMAIL, type NotificationDefinition, type Unsubscribers } from '#kernel'
import { findMember } from '../../members/index.ts'
import { digestMail } from '../mails.ts'
import { listPeople } from '../queries.ts'
import type { KindChoice, PreferenceRow } from '../table.ts'
import { changeChosen } from './change.ts'
import { isFixed, isOn } from './choices.ts'
import { findPreferences } from './preference-queries.ts'

/** Switches mails off for whoever used the link of one. Does nothing where there is nothing to switch off. */
export const unsubscribers: Unsubscribers = {
  async unsubscribe(ctx, { kind: name, userId }) {
    if (kindsOf(ctx, name).length === 0 || !(await findMember(ctx.tx, ctx.tenantId, userId))) return
    await changeChosen(ctx, userId, (before) => ({ kinds: withoutMail(before, mailedBy(ctx, name, before)) }))
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
  const isIn = (choice?: KindChoice) => name !== digestMail.kind || choice?.digest === true
  return kindsOf(ctx, name)
    .filter((kind) => isOn(kind, preferences?.kinds[kind.kind], EMAIL) && isIn(preferences?.kinds[kind.kind]))
    .map(({ kind }) => kind)
}

function withoutMail({ kinds }: PreferenceRow, ended: readonly string[]): Record<string, KindChoice> {
  const changed: Record<string, KindChoice> = { ...kinds }
  for (const kind of ended) {
    const choice = kinds[kind]
    changed[kind] = { ...choice, channels: { ...choice?.channels, [EMAIL]: false } }
  }
  return changed
}
