import type { Readable } from 'node:stream'
import { Answer, type Ctx, MINUTES, momentAt, rateLimited, SECONDS, timeOfId, unavailable } from '#kernel'
import { findCounts } from '../queries.ts'
import { EventStream } from './event-stream.ts'
import { streamHub } from './hub.ts'
import { findPlace, findPlaceBefore, type Watched } from './stream-queries.ts'
import { ENDS, holderOf } from './streams.ts'

/** Streams that a person holds open in one process: some pages on some devices. */
const MOST_OF_A_PERSON = 10
/** And all people together. */
const MOST = 10_000
const COME_BACK_SECONDS = '30'

export interface StreamWish {
  /** The last notification that came; undefined: what comes from now on. */
  lastId: string | undefined
  /** Ends after so many seconds. */
  waitSeconds: number | undefined
}

/** Opens a stream of what the signed-in person is told in this tenant. It is opened only to be sent: not for HEAD. */
export async function openStream(ctx: Ctx, wish: StreamWish): Promise<Answer<() => Promise<Readable>>> {
  const { tenantId } = ctx // throws where there is none
  // Proxies send on what comes as it comes.
  return new Answer(200, () => open(ctx, { tenantId, userId: ctx.userId }, wish), { 'x-accel-buffering': 'no' })
}

async function open(ctx: Ctx, person: Watched, { lastId, waitSeconds }: StreamWish): Promise<Readable> {
  const hub = ctx.use(streamHub)
  requirePlace(hub.countOf(holderOf(ctx)), hub.size)
  const seq = await ctx.transaction((ctx) => startOf(ctx, person, lastId), { readOnly: true })
  // Once more: others came in meanwhile. Nothing is waited for from here on.
  requirePlace(hub.countOf(holderOf(ctx)), hub.size)
  const body = new EventStream()
  const credentialEnd = ctx.principal?.endsAtMs ?? null
  const wished = waitSeconds === undefined ? null : ctx.clock.ms() + waitSeconds * SECONDS
  const isBounded = wished !== null && (credentialEnd === null || wished < credentialEnd)
  hub.add({
    ctx,
    ...person,
    body,
    seq,
    unread: null,
    isBehind: false,
    endsAtMs: isBounded ? wished : credentialEnd,
    isBounded,
    isOnce: waitSeconds === 0,
  })
  body.open()
  return body
}

function requirePlace(own: number, all: number): void {
  const headers = { 'retry-after': COME_BACK_SECONDS }
  if (own >= MOST_OF_A_PERSON)
    throw rateLimited({
      detail: `You hold ${MOST_OF_A_PERSON} streams open already`,
      members: { violated_policies: [STREAMS_POLICY] },
      headers,
    })
  if (all >= MOST) throw unavailable({ detail: ENDS.stopping.detail, headers })
}

/** What a 429 for too many streams names. */
const STREAMS_POLICY = 'notification_streams'

/** What was written by another process at the same moment has a time that differs by less. */
const SKEW_MS = 5 * MINUTES

/**
 * The place after which the stream begins. Where the last notification that came is gone by now, it begins with what was
 * written about when that one was, so that some come twice and none is left out: an id is older than its row.
 */
async function startOf({ tx, clock }: Ctx, person: Watched, lastId: string | undefined): Promise<number> {
  if (lastId === undefined) return (await findCounts(tx, person.tenantId, person.userId))?.last_seq ?? 0
  const found = await findPlace(tx, person, lastId.toLowerCase())
  if (found !== undefined) return found
  const madeMs = Math.min(timeOfId(lastId), clock.ms())
  return findPlaceBefore(tx, person, momentAt(Math.max(0, madeMs - SKEW_MS)))
}
