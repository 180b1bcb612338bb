import { type Core, type Ctx, defineResource, SECONDS } from '#kernel'
import type { StreamEnd } from './event-stream.ts'
import { createLookout } from './lookout.ts'
import { createReaders } from './readers.ts'
import { ENDS, endOf, holderOf, type OpenStream } from './streams.ts'

/** How often a stream says that it is alive, and what it rests on is looked at again. */
const BEAT_MS = 20 * SECONDS
/** Under this name processes tell each other whose list has changed. */
export const CHANGED = 'notifications.changed'

/** All open streams of this process. */
export interface StreamHub {
  /** Streams that one person holds, in whatever tenants and as whomever. */
  countOf(holder: string): number
  readonly size: number
  /** Takes a stream in, whose first look follows at once. */
  add(stream: OpenStream): void
  /** Tells the streams of all processes that the lists of these people have changed; null: of everybody in the tenant. */
  changed(tenantId: string, userIds: readonly string[] | null): void
  /** What happens every so often. */
  beat(): Promise<void>
  close(): void
}

export const streamHub = defineResource<StreamHub>({
  name: 'notifications.streams',
  create: (core) => createHub(core),
  close: (hub) => hub.close(),
})

/** Has the streams of these people told of a change, once this transaction is committed. */
export function tellStreams(ctx: Ctx, userIds: readonly string[] | null): void {
  const { tenantId } = ctx
  ctx.afterCommit(() => ctx.use(streamHub).changed(tenantId, userIds))
}

function createHub(core: Core): StreamHub {
  const streams = new Set<OpenStream>()
  const readers = createReaders(core, { end })
  const lookout = createLookout(core, streams, { end, changed: readers.changed })
  const timer = setInterval(() => void beat(), BEAT_MS).unref()
  const stopHearing = core.signals.on(CHANGED, {
    heard: (items) => {
      for (const item of items) {
        const [tenantId = '', userId] = item.split(':')
        readers.changed(tenantId, userId)
      }
    },
    lost: readers.changedAll,
  })
  const stopWatching = core.standings.watch(lookout.forgotten)
  core.stopping.addEventListener('abort', endAll)

  function end(stream: OpenStream, why: StreamEnd | null): void {
    stream.body.end(why)
    remove(stream)
  }

  function remove(stream: OpenStream): void {
    streams.delete(stream)
    readers.remove(stream)
  }

  function endAll(): void {
    for (const stream of streams) end(stream, ENDS.stopping)
  }

  async function beat(): Promise<void> {
    const soon = core.clock.ms() + BEAT_MS + 5 * SECONDS
    for (const stream of streams) {
      if (stream.endsAtMs !== null && stream.endsAtMs <= soon) end(stream, endOf(stream))
      else stream.body.beat()
    }
    await lookout.look()
  }

  return {
    countOf: (holder) => [...streams].filter(({ ctx }) => holderOf(ctx) === holder).length,
    get size() {
      return streams.size
    },
    add(stream) {
      streams.add(stream)
      stream.body.once('close', () => remove(stream))
      stream.body.onRoom = () => readers.hasRoom(stream)
      readers.add(stream)
      // Its session may have ended since the request was looked at, when nobody was listening for it yet.
      lookout.prove(stream)
    },
    changed: (tenantId, userIds) =>
      core.signals.send(CHANGED, userIds === null ? [tenantId] : userIds.map((id) => `${tenantId}:${id}`)),
    beat,
    close() {
      clearInterval(timer)
      stopHearing()
      stopWatching()
      core.stopping.removeEventListener('abort', endAll)
      endAll()
    },
  }
}
