import { DAYS, HOURS } from '../clock.ts'
import type { Core } from '../core.ts'

/** So long a message is known; its sender has given up repeating it long before. */
const KEPT_MS = 30 * DAYS
/** So much is deleted in one statement: what came within that time. */
const SLICE_MS = 1 * HOURS

/** Forgets old messages, from the oldest on. */
export async function forgetInboundMessages({ db, clock }: Pick<Core, 'db' | 'clock'>): Promise<void> {
  const limit = clock.ms() - KEPT_MS
  for (const table of ['inbound_messages', 'global_inbound_messages'])
    for (;;) {
      const [oldest] = await db.systemQuery<{ at: string | null }>(`select min(received_at) as at from ${table}`)
      const at = Date.parse(oldest?.at ?? '')
      if (!(at < limit)) break
      const until = new Date(Math.min(at + SLICE_MS, limit)).toISOString()
      await db.systemQuery(`delete from ${table} where received_at < $1`, [until])
    }
}
