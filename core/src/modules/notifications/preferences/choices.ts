import { type Ctx, type NotificationDefinition, PUSH } from '#kernel'
import type { KindChoice } from '../table.ts'

/** Whether a kind goes out by a channel to somebody who chose this. */
export function isOn(kind: NotificationDefinition, choice: KindChoice | undefined, channel: string): boolean {
  if (isFixed(kind, channel)) return true
  return choice?.channels?.[channel] ?? kind.channels.includes(channel)
}

/** Whether it cannot be switched off. */
export const isFixed = ({ canSwitchOff, channels }: NotificationDefinition, channel: string): boolean =>
  !canSwitchOff && channels.includes(channel)

/** Channels of modules, without push, which has a field of its own. */
export const broughtChannels = ({ registry }: Pick<Ctx, 'registry'>): string[] =>
  [...registry.channels.keys()].filter((name) => name !== PUSH)

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
