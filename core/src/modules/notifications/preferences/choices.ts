import { type Ctx, IN_APP, type NotificationChannel, type NotificationDefinition, PUSH } from '#kernel'
import type { KindChoice } from '../table.ts'

/** Whether a kind goes out by a channel to somebody who chose this. */
export function isOn(kind: NotificationDefinition, choice: KindChoice | undefined, channel: string): boolean {
  if (isFixed(kind, channel)) return true
  return choice?.channels?.[channel] ?? isOnAtFirst(kind, channel)
}

/** Whoever subscribes a browser wants there what is in the list. */
const isOnAtFirst = ({ channels }: NotificationDefinition, channel: string): boolean =>
  channels.includes(channel) || (channel === PUSH && channels.includes(IN_APP))

/** Whether it cannot be switched off. */
export const isFixed = ({ canSwitchOff, channels }: NotificationDefinition, channel: string): boolean =>
  !canSwitchOff && channels.includes(channel)

type Installed = Pick<Ctx, 'registry' | 'config'>

/** Channels of modules that this installation has. */
export const openChannels = (core: Installed): NotificationChannel[] =>
  [...core.registry.channels.values()].filter(({ isOpen }) => isOpen?.(core) ?? true)

/** The same without push, which has a field of its own. */
export const broughtChannels = (core: Installed): string[] =>
  openChannels(core).flatMap(({ name }) => (name === PUSH ? [] : [name]))

/** Whether anything can be pushed. */
export const hasPush = (core: Installed): boolean => openChannels(core).some(({ name }) => name === PUSH)

/**
 * Kinds that can reach the signed-in person in this tenant: those for everybody or for those who are named, and those for a
 * permission that they hold somewhere; without those of features that the plan does not have.
 */
export async function listReachable(ctx: Ctx): Promise<NotificationDefinition[]> {
  const { notifications, allowances } = ctx.registry
  const features = new Map<string, boolean>()
  const reachable: NotificationDefinition[] = []
  for (const kind of notifications.values()) {
    if (typeof kind.audience === 'object' && ctx.storesWith(kind.audience.permission)?.length === 0) continue
    const { feature } = kind
    if (feature !== undefined && allowances && !features.has(feature))
      features.set(feature, await allowances.hasFeature(ctx, feature))
    if (feature === undefined || (features.get(feature) ?? true)) reachable.push(kind)
  }
  return reachable
}
