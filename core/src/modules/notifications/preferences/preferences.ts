import {
  at,
  type Ctx,
  EMAIL,
  type FieldProblem,
  IN_APP,
  invalidRequest,
  type NotificationDefinition,
  PUSH,
} from '#kernel'
import type {
  Hours,
  HoursPatch,
  NotificationPreference,
  PreferenceChange,
  Preferences,
  PreferencesPatch,
} from '../schema.ts'
import type { KindChoice, PreferenceRow } from '../table.ts'
import { nameOf } from '../texts.ts'
import { changeChosen, noChoice } from './change.ts'
import { broughtChannels, hasPush, isFixed, isOn, listReachable } from './choices.ts'
import { findPreferences } from './preference-queries.ts'
import { DIGEST_AT } from './quiet-hours.ts'
import { findReader, type Reader } from './reader.ts'

/** What the signed-in person is told in this tenant. */
export async function readPreferences(ctx: Ctx): Promise<Preferences> {
  const row = await findPreferences(ctx.tx, ctx.tenantId, ctx.userId)
  return present(ctx, row ?? noChoice(ctx, ctx.userId), await listReachable(ctx))
}

/** The person changes what is named. Throws 400 for a kind that cannot reach them, and for what cannot be switched off. */
export async function changePreferences(ctx: Ctx, { data = [] }: PreferencesPatch): Promise<Preferences> {
  const reachable = await listReachable(ctx)
  const problems = data.flatMap((change, index) => [...problemsOf(ctx, reachable, data, { change, index })])
  if (problems.length > 0) throw invalidRequest({ errors: problems })
  const after = await changeChosen(ctx, ctx.userId, (before) => {
    const kinds = { ...before.kinds }
    for (const change of data) kinds[change.notification_type] = merged(kinds[change.notification_type], change)
    return { kinds }
  })
  return present(ctx, after, reachable)
}

/** When the signed-in person is not to be disturbed in this tenant. */
export async function readHours(ctx: Ctx): Promise<Hours> {
  return presentHours(ctx, (await findPreferences(ctx.tx, ctx.tenantId, ctx.userId)) ?? noChoice(ctx, ctx.userId))
}

/** The person changes that. Throws 400 for hours that begin when they end. */
export async function changeHours(ctx: Ctx, { quiet_hours }: HoursPatch): Promise<Hours> {
  if (quiet_hours && quiet_hours.from === quiet_hours.to)
    throw invalidRequest({ errors: [at('quiet_hours/to', 'must be another time than from')] })
  return presentHours(
    ctx,
    await changeChosen(ctx, ctx.userId, () => (quiet_hours === undefined ? {} : { quiet_hours })),
  )
}

/** The channels that a change names, and the field of each. */
function wishesOf({ in_app_enabled, email_enabled, push_enabled, channels = [] }: PreferenceChange) {
  const all: [string, string, boolean | undefined][] = [
    [IN_APP, 'in_app_enabled', in_app_enabled],
    [EMAIL, 'email_enabled', email_enabled],
    [PUSH, 'push_enabled', push_enabled],
    ...channels.map(({ name, enabled }, at): [string, string, boolean] => [name, `channels/${at}`, enabled]),
  ]
  return all.flatMap(([channel, field, wish]) => (wish === undefined ? [] : [{ channel, field, wish }]))
}

function* problemsOf(
  ctx: Ctx,
  reachable: readonly NotificationDefinition[],
  all: readonly PreferenceChange[],
  { change, index }: { change: PreferenceChange; index: number },
): Iterable<FieldProblem> {
  const problem = (field: string, text: string) => at(`data/${index}/${field}`, text)
  const kind = reachable.find(({ kind }) => kind === change.notification_type)
  if (!kind) {
    yield problem('notification_type', 'is no kind that can reach you here')
    return
  }
  if (all.findIndex(({ notification_type }) => notification_type === kind.kind) < index)
    yield problem('notification_type', 'is named twice')
  for (const { channel, field, wish } of wishesOf(change)) {
    if (field.startsWith('channels/') && !broughtChannels(ctx).includes(channel)) yield problem(field, 'is no channel')
    else if (!wish && isFixed(kind, channel)) yield problem(field, 'cannot be switched off for this kind')
    else if (wish && channel === PUSH && !hasPush(ctx)) yield problem(field, 'is not to be had here')
  }
  if (change.email_digest && !kind.digest) yield problem('email_digest', 'is not to be had for this kind')
}

function merged(before: KindChoice = {}, change: PreferenceChange): KindChoice {
  const wishes = wishesOf(change).map(({ channel, wish }) => [channel, wish])
  return {
    ...before,
    ...(wishes.length > 0 && { channels: { ...before.channels, ...Object.fromEntries(wishes) } }),
    ...(change.email_digest !== undefined && { digest: change.email_digest }),
  }
}

async function present(
  ctx: Ctx,
  { kinds }: PreferenceRow,
  reachable: readonly NotificationDefinition[],
): Promise<Preferences> {
  const reader = await findReader(ctx)
  return { data: reachable.map((kind) => presentOne(ctx, kind, kinds[kind.kind], reader)) }
}

async function presentHours(ctx: Ctx, { quiet_hours }: PreferenceRow): Promise<Hours> {
  return { quiet_hours, ...clockOf(await findReader(ctx)), digest_time: DIGEST_AT }
}

const clockOf = ({ timezone, timezoneSource }: Reader) => ({ timezone, timezone_source: timezoneSource })

function presentOne(
  ctx: Ctx,
  kind: NotificationDefinition,
  choice: KindChoice | undefined,
  reader: Reader,
): NotificationPreference {
  const on = (channel: string) => isOn(kind, choice, channel)
  return {
    notification_type: kind.kind,
    name: nameOf(ctx, kind.kind, reader),
    in_app_enabled: on(IN_APP),
    email_enabled: on(EMAIL),
    push_enabled: hasPush(ctx) && on(PUSH),
    channels: broughtChannels(ctx).map((name) => ({ name, enabled: on(name) })),
    email_digest: kind.digest ? (choice?.digest ?? false) : null,
    can_switch_off: kind.canSwitchOff,
    ignores_quiet_hours: kind.security,
    ...clockOf(reader),
  }
}
