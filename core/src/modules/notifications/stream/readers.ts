import type { Core } from '#kernel'
import type { StreamEnd } from './event-stream.ts'
import { type Feed, readFeeds } from './read-feeds.ts'
import { ENDS, type OpenStream } from './streams.ts'

/** Transactions that read for streams at the same time: they must not take the pool from requests. */
const READERS = 2
/** People of a tenant that one transaction reads for. */
const BATCH = 100

/** The people of one tenant who hold streams open. */
interface TenantStreams {
  byUser: Map<string, Set<OpenStream>>
  /** People whose list may have changed since it was read. */
  changed: Set<string>
}

/** Reads what is new to those who hold streams open, for many at once, and tells it. */
export function createReaders(core: Core, { end }: { end(stream: OpenStream, why: StreamEnd | null): void }) {
  const tenants = new Map<string, TenantStreams>()
  /** Tenants with something to read, in the order in which it came up. */
  const queue = new Set<string>()
  /** Tenants that are read at this moment: a second reader could tell an older state after a newer one. */
  const busy = new Set<string>()

  function changed(tenantId: string, userId?: string): void {
    const tenant = tenants.get(tenantId)
    if (!tenant || (userId !== undefined && !tenant.byUser.has(userId))) return
    for (const id of userId === undefined ? tenant.byUser.keys() : [userId]) tenant.changed.add(id)
    queue.add(tenantId)
    startReading()
  }

  function startReading(): void {
    for (const tenantId of queue) {
      if (busy.size >= READERS) return
      if (!busy.has(tenantId)) void read(tenantId)
    }
  }

  async function read(tenantId: string): Promise<void> {
    queue.delete(tenantId)
    busy.add(tenantId)
    const tenant = tenants.get(tenantId)
    if (tenant) await core.db.aside(() => readTenant(tenantId, tenant))
    busy.delete(tenantId)
    if (tenant && tenant.changed.size > 0) queue.add(tenantId)
    startReading()
  }

  async function readTenant(tenantId: string, tenant: TenantStreams): Promise<void> {
    const userIds = [...tenant.changed].slice(0, BATCH)
    for (const id of userIds) tenant.changed.delete(id)
    const ready = userIds.map((userId) => ({ userId, streams: roomy(tenant.byUser.get(userId)) }))
    const places = ready.flatMap(({ userId, streams }) =>
      streams.length > 0 ? [{ userId, seq: Math.min(...streams.map(({ seq }) => seq)) }] : [],
    )
    if (places.length === 0) return
    try {
      const feeds = await core.run((ctx) => readFeeds(ctx, places), { tenantId, readOnly: true })
      for (const { userId, streams } of ready) {
        const feed = feeds.get(userId)
        for (const stream of streams) if (feed) tell(stream, feed)
        if (feed?.isMore) tenant.changed.add(userId)
        if (!feed) for (const stream of streams) end(stream, ENDS.left)
      }
    } catch (error) {
      // The next look finds what was missed here.
      core.log.warn({ err: error, tenant_id: tenantId }, 'what is new for open streams could not be read')
    }
  }

  function tell(stream: OpenStream, { news, unread, isMore }: Feed): void {
    for (const { seq, notification } of news) {
      if (seq <= stream.seq) continue
      stream.body.event('notification', notification, notification.id)
      stream.seq = seq
    }
    if (isMore) return
    if (unread !== stream.unread) stream.body.event('unread', { unread_count: unread })
    stream.unread = unread
    if (stream.isOnce) end(stream, null)
  }

  return {
    changed,
    changedAll: () => {
      for (const tenantId of tenants.keys()) changed(tenantId)
    },
    hasRoom(stream: OpenStream): void {
      if (!stream.isBehind) return
      stream.isBehind = false
      changed(stream.tenantId, stream.userId)
    },
    add(stream: OpenStream): void {
      const { tenantId, userId } = stream
      const tenant: TenantStreams = tenants.get(tenantId) ?? { byUser: new Map(), changed: new Set() }
      tenants.set(tenantId, tenant)
      const own = tenant.byUser.get(userId) ?? new Set()
      tenant.byUser.set(userId, own.add(stream))
      changed(tenantId, userId)
    },
    remove(stream: OpenStream): void {
      const { tenantId, userId } = stream
      const tenant = tenants.get(tenantId)
      const own = tenant?.byUser.get(userId)
      own?.delete(stream)
      if (own?.size === 0) tenant?.byUser.delete(userId)
      if (tenant?.byUser.size === 0) tenants.delete(tenantId)
    },
  }
}

/** Those that can take more; the others ask by themselves once they can. */
function roomy(streams: Iterable<OpenStream> = []): OpenStream[] {
  const ready: OpenStream[] = []
  for (const stream of streams) {
    stream.isBehind = !stream.body.hasRoom
    if (!stream.isBehind && !stream.body.destroyed) ready.push(stream)
  }
  return ready
}
