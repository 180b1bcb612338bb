import { type Ctx, EMAIL, IN_APP, type NotificationDefinition, type NotifiedPerson } from '#kernel'
import { isOn, openChannels } from '../preferences/choices.ts'
import { DIGEST_AT, nextAt, quietUntil } from '../preferences/quiet-hours.ts'
import { readerOf } from '../preferences/reader.ts'
import type { PreferenceRow } from '../table.ts'

/** By which ways one person is told, and when. */
export interface Ways {
  inApp: boolean
  /** Null: not by mail. `at` null: now. */
  email: { at: string | null; isDigest: boolean } | null
  /** Channels of modules, each with the moment until which it waits. */
  others: { channel: string; at: string | null }[]
}

/** What decides besides the person. */
export interface WaySetting {
  kind: NotificationDefinition
  tenantZone: string
  nowMs: number
  /** People whom each channel of a module reaches. */
  reached: ReadonlyMap<string, ReadonlySet<string>>
  mailsOff: boolean
}

/** The ways by which a kind goes to a person, by their preferences, their hours and what reaches them. */
export function waysOf(
  { kind, tenantZone, nowMs, reached, mailsOff }: WaySetting,
  person: NotifiedPerson,
  preferences: PreferenceRow | undefined,
): Ways {
  const choice = preferences?.kinds[kind.kind]
  const { timezone } = readerOf(person, tenantZone)
  const hours = kind.security ? null : (preferences?.quiet_hours ?? null)
  const at = hours && quietUntil(nowMs, timezone, hours)
  const others = [...reached]
    .filter(([channel, people]) => people.has(person.id) && isOn(kind, choice, channel))
    .map(([channel]) => ({ channel, at }))
  const isDigest = kind.digest && (choice?.digest ?? false)
  const mailAt = isDigest ? digestAt(nowMs, timezone, preferences) : at
  return {
    inApp: isOn(kind, choice, IN_APP),
    email: isOn(kind, choice, EMAIL) && !mailsOff ? { at: mailAt, isDigest } : null,
    others,
  }
}

/** The next time of digests, or the end of quiet hours that run then. */
export function digestAt(nowMs: number, timezone: string, preferences: PreferenceRow | undefined): string {
  const due = nextAt(nowMs, timezone, DIGEST_AT)
  const hours = preferences?.quiet_hours
  return (hours && quietUntil(Date.parse(due), timezone, hours)) ?? due
}

/** Whom each channel of a module reaches that some of the kind may go out by. */
export async function findReached(
  ctx: Ctx,
  people: readonly NotifiedPerson[],
): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const reached = new Map<string, ReadonlySet<string>>()
  for (const channel of openChannels(ctx)) reached.set(channel.name, new Set(await channel.reaches(ctx, people)))
  return reached
}
