import type { Ctx, OutboundSession } from '#kernel'

/** Requests to one webhook at the same time. */
export const AT_ONCE = 20

/** The connections of a job to the server of its webhook, which may be another one from one turn to the next. */
export interface Line {
  to(url: string): Promise<OutboundSession>
  close(): Promise<void>
}

export function createLine({ outbound }: Pick<Ctx, 'outbound'>): Line {
  let session: OutboundSession | undefined
  return {
    async to(url) {
      if (session && session.url !== url) await session.close()
      if (session?.url !== url) session = outbound.connect(url, { connections: AT_ONCE })
      return session
    },
    close: async () => session?.close(),
  }
}
