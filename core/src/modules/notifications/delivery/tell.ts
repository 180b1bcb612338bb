import { type Ctx, EMAIL, firstIdAt, type NotificationDefinition, type NotifiedPerson, sha256, timeOfId } from '#kernel'
import { getTenant, tenantTimeZone } from '../../tenants/index.ts'
import { listPreferences } from '../preferences/preference-queries.ts'
import { asReader } from '../preferences/reader.ts'
import { deleteReplaced, insertNotifications, listKnownIds, updateUnreadLess, upsertCounts } from '../queries.ts'
import { tellStreams } from '../stream/hub.ts'
import { noticeId } from './ids.ts'
import { mailNow } from './mail-now.ts'
import type { FanOut } from './notice.ts'
import { enqueueSends } from './sends.ts'
import { findReached, type Ways, waysOf } from './ways.ts'

/** One person, by which ways they are told, and the id of what they are told. */
interface Telling {
  id: string
  person: NotifiedPerson
  ways: Ways
}

/**
 * Tells these people, who ascend by id, in the transaction of `ctx`: their list, the mail to be sent, and what waits for other
 * channels are written together. Who was told already is left out.
 */
export async function tell(
  ctx: Ctx,
  kind: NotificationDefinition,
  notice: FanOut,
  people: readonly NotifiedPerson[],
): Promise<void> {
  const expiresAt = kind.expiresAt?.(notice.data as never, notice.at) ?? null // its own data, checked when it was told
  if (expiresAt !== null && expiresAt <= ctx.clock.now()) return
  const tellings = await decide(ctx, kind, notice, people)
  if (tellings.length === 0) return
  const groupKey = groupKeyOf(kind, notice)
  const places = await takePlaces(ctx, tellings, { groupKey, expiresAt })
  await insertNotifications(
    ctx.tx,
    tellings.map((telling) =>
      rowOf(ctx, kind, notice, { telling, seq: places.get(telling.person.id), groupKey, expiresAt }),
    ),
  )
  await send(ctx, kind, notice, tellings)
}

/** Names that people give may be in it, of any length, and must not take the place of what another kind tells. */
function groupKeyOf({ kind, groupKey }: NotificationDefinition, { data }: FanOut): string | null {
  return groupKey ? sha256([kind, groupKey(data as never)].join('\0')).toString('base64url') : null // its own data
}

async function decide(ctx: Ctx, kind: NotificationDefinition, { key }: FanOut, people: readonly NotifiedPerson[]) {
  const ids = new Map(people.map(({ id }) => [id, noticeId(key, kind.kind, id)]))
  const ms = timeOfId(key)
  const span = { from: firstIdAt(ms), to: firstIdAt(ms + 1) }
  const userIds = people.map(({ id }) => id)
  const [known, preferences, tenantZone, reached] = await Promise.all([
    listKnownIds(ctx.tx, ctx.tenantId, [...ids.values()], span),
    listPreferences(ctx.tx, ctx.tenantId, userIds),
    ctx.setting(tenantTimeZone),
    findReached(ctx, people),
  ])
  const setting = { kind, tenantZone, nowMs: ctx.clock.ms(), reached, mailsOff: ctx.config.mail.off }
  return people.flatMap((person): Telling[] => {
    const id = ids.get(person.id)
    if (id === undefined || known.has(id)) return []
    const ways = waysOf(setting, person, preferences.get(person.id))
    return ways.inApp || ways.email || ways.others.length > 0
      ? [{ id, person: asReader(person, tenantZone), ways }]
      : []
  })
}

/** Counts one more for each who finds it in their list, and one less for what it takes the place of. */
async function takePlaces(
  ctx: Ctx,
  tellings: readonly Telling[],
  { groupKey, expiresAt }: { groupKey: string | null; expiresAt: string | null },
): Promise<ReadonlyMap<string, number>> {
  const { tx, tenantId: tenant_id } = ctx
  const userIds = tellings.filter(({ ways }) => ways.inApp).map(({ person }) => person.id)
  if (userIds.length === 0) return new Map()
  const now = ctx.clock.now()
  const first = { unread: 1, last_seq: 1, read_to: 0, hidden_to: 0, next_expiry: expiresAt }
  const rows = userIds.map((id) => ({ tenant_id, id, created_at: now, updated_at: now, ...first }))
  const places = await upsertCounts(tx, rows)
  tellStreams(ctx, userIds)
  if (groupKey !== null) {
    const replaced = await deleteReplaced(tx, tenant_id, userIds, groupKey)
    const lost = Map.groupBy(replaced, (id) => id)
    await updateUnreadLess(tx, tenant_id, new Map([...lost].map(([id, of]) => [id, of.length])), now)
  }
  return new Map(places.map(({ id, last_seq }) => [id, last_seq]))
}

interface Placed {
  telling: Telling
  seq: number | undefined
  groupKey: string | null
  expiresAt: string | null
}

function rowOf(ctx: Ctx, kind: NotificationDefinition, notice: FanOut, { telling, seq, groupKey, expiresAt }: Placed) {
  const now = ctx.clock.now()
  return {
    tenant_id: ctx.tenantId,
    id: telling.id,
    created_at: now,
    updated_at: now,
    user_id: telling.person.id,
    seq: seq ?? null,
    kind: kind.kind,
    type: notice.type ?? kind.type,
    data: JSON.stringify(notice.data) as never, // jsonb takes text
    group_key: groupKey,
    expires_at: expiresAt,
    // What is in nobody's list is not unread.
    read_at: seq === undefined ? now : null,
  }
}

async function send(
  ctx: Ctx,
  kind: NotificationDefinition,
  notice: FanOut,
  tellings: readonly Telling[],
): Promise<void> {
  const unmailed = await mailAll(ctx, kind, notice, tellings)
  const waiting = tellings.flatMap(({ id, person, ways: { email, others } }) => [
    ...others.map(({ channel, at }) => ({ notification_id: id, user_id: person.id, channel, at, isDigest: false })),
    ...(email?.at || unmailed.has(id)
      ? [
          {
            notification_id: id,
            user_id: person.id,
            channel: EMAIL,
            at: email?.at ?? null,
            isDigest: email?.isDigest ?? false,
          },
        ]
      : []),
  ])
  if (waiting.length > 0) await enqueueSends(ctx, waiting)
}

/** Posts the mails that go out now; gives those that could not be, which keep nobody from finding it in their list. */
async function mailAll(
  ctx: Ctx,
  kind: NotificationDefinition,
  { data }: FanOut,
  tellings: readonly Telling[],
): Promise<ReadonlySet<string>> {
  const unmailed = new Set<string>()
  const mailed = tellings.filter(({ ways: { email } }) => email !== null && email.at === null)
  if (mailed.length === 0) return unmailed
  const tenant = await getTenant(ctx.tx, ctx.tenantId)
  for (const { id, person } of mailed)
    try {
      await mailNow(ctx, kind, { data, person, tenant })
    } catch (error) {
      // What the database refused has undone all of this; the job says so and runs again.
      ctx.log.error(
        { err: error, kind: kind.kind },
        'the mail of a notification could not be written, and is tried again',
      )
      unmailed.add(id)
    }
  return unmailed
}
