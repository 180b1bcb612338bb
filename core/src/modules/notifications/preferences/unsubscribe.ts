import { EMAIL, type NotificationDefinition, type Unsubscribers } from '#kernel'
import { findMember } from '../../members/index.ts'
import { digestMail } from '../mails.ts'
import type { KindChoice, PreferenceRow } from '../table.ts'
import { changeChosen } from './change.ts'
import { isFixed, isOn } from './choices.ts'

/** Switches mails off for whoever used the link of one. Does nothing where there is nothing to switch off. */
export const unsubscribers: Unsubscribers = {
  async unsubscribe(ctx, { kind: name, userId }) {
    const meant = isMeant(name)
    const kinds = [...ctx.registry.notifications.values()].filter((kind) => meant(kind) && !isFixed(kind, EMAIL))
    if (kinds.length === 0 || !(await findMember(ctx.tx, ctx.tenantId, userId))) return
    await changeChosen(ctx, userId, (before) => ({ kinds: withoutMail(before, kinds, name) }))
  },
}

/** The kinds that a mail may be about: its own, or all that a digest may tell. */
const isMeant = (name: string) => (kind: NotificationDefinition) =>
  name === digestMail.kind ? kind.digest : kind.kind === name

/** Who ends digests gets no mail of what came in them; of other kinds nothing changes. */
function withoutMail({ kinds }: PreferenceRow, meant: readonly NotificationDefinition[], name: string) {
  const changed: Record<string, KindChoice> = { ...kinds }
  for (const kind of meant) {
    const choice = kinds[kind.kind]
    if (!isOn(kind, choice, EMAIL) || (name === digestMail.kind && !choice?.digest)) continue
    changed[kind.kind] = { ...choice, channels: { ...choice?.channels, [EMAIL]: false } }
  }
  return changed
}
