import type { Core } from '../kernel/core.ts'
import { runDueJobs } from '../kernel/jobs/run.ts'

/** Runs every job of a tenant (null: of none) that is due, however long that takes; a worker would let others have a turn. */
export async function drainJobs(core: Core, tenantId: string | null): Promise<void> {
  const { signal } = new AbortController()
  while (await runDueJobs(core, tenantId, signal));
}
