import { AppError, type Core, concerns, type Forget } from '#kernel'
import type { StreamEnd } from './event-stream.ts'
import { listStates } from './stream-queries.ts'
import { ENDS, type OpenStream } from './streams.ts'

/** People whose counts one statement looks at. */
const BATCH = 500

interface Hands {
  end(stream: OpenStream, why: StreamEnd | null): void
  changed(tenantId: string, userId?: string): void
}

/** Looks again at what open streams rest on: that their sessions go on, and that no change of a list was missed. */
export function createLookout(core: Core, streams: ReadonlySet<OpenStream>, { end, changed }: Hands) {
  /** Streams whose session is to be looked at, one after the other. */
  const unproven = new Set<OpenStream>()
  let proving: Promise<void> | undefined

  function prove(stream: OpenStream): Promise<void> {
    unproven.add(stream)
    proving ??= core.db.aside(proveAll).finally(() => {
      proving = undefined
    })
    return proving
  }

  async function proveAll(): Promise<void> {
    for (const stream of unproven) {
      unproven.delete(stream)
      if (!streams.has(stream)) continue
      await stream.ctx.proveAgain().catch((error: unknown) => end(stream, whyOf(error)))
    }
  }

  /** A change was missed if its signal was: the process that was to send it died, or the connection was down. */
  async function findMissed(): Promise<void> {
    const people = new Map([...streams].map((stream) => [`${stream.tenantId}:${stream.userId}`, stream]))
    const all = [...people.values()]
    const now = core.clock.now()
    for (let from = 0; from < all.length; from += BATCH) {
      const page = all.slice(from, from + BATCH)
      const states = await core.run(({ tx }) => listStates(tx, page), {
        role: 'system',
        tenantId: null,
        readOnly: true,
      })
      for (const { tenant_id, id, last_seq, unread, next_expiry } of states) {
        const stream = people.get(`${tenant_id}:${id}`)
        const isSame = stream?.seq === last_seq && stream.unread === unread
        if (!isSame || (next_expiry !== null && next_expiry <= now)) changed(tenant_id, id)
      }
    }
  }

  return {
    prove: (stream: OpenStream) => void prove(stream),
    /** Of what standings were forgotten; null: of all. */
    forgotten(what: Forget | null): void {
      for (const stream of streams) if (what === null || concerns(what, stream.ctx.principal)) void prove(stream)
    },
    async look(): Promise<void> {
      await Promise.all([...streams].map(prove))
      await core.db.aside(findMissed).catch((error: unknown) => {
        core.log.warn({ err: error }, 'whether open streams have missed something could not be looked at')
      })
    },
  }
}

/** What could not be looked at is a no, after which the client comes back. */
function whyOf(error: unknown): StreamEnd {
  if (!(error instanceof AppError) || error.status >= 500) return ENDS.unproven
  return { code: error.code, detail: error.details.detail ?? error.kind.title }
}
