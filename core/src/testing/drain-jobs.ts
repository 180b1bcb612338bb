import type { Core } from '../kernel/core.ts'
import { runDueJobs } from '../kernel/jobs/run.ts'

/** Runs every job of a tenant (null: of none) that is due, however long that takes; a worker would let others have a turn. */
export async function drainJobs(core: Core, tenantId: string | null): Promise<void> {
  const { signal } = new AbortController()
  const drain = async () => {
    for (const outbound of [false, true, false]) while (await runDueJobs(core, tenantId, signal, outbound));
  }
  // As another process would: whoever waits here inside of a transaction waits for somebody else.
  await core.db.aside(drain)
}
