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

interface Failure {
  id: string
  task: string
  attempts: number
  last_error: string
}

/** As `drainJobs`; throws what jobs failed with meanwhile. */
export async function drainSoundly(core: Core, tenantId: string | null): Promise<void> {
  const known = new Map((await listFailures(core, tenantId)).map(({ id, attempts }) => [id, attempts]))
  await drainJobs(core, tenantId)
  const failures = (await listFailures(core, tenantId)).filter(({ id, attempts }) => known.get(id) !== attempts)
  if (failures.length === 0) return
  throw new Error(`Jobs failed: ${failures.map(({ task, last_error }) => `${task}: ${last_error}`).join('; ')}`)
}

function listFailures(core: Core, tenantId: string | null): Promise<Failure[]> {
  const columns = 'id, task, attempts, last_error'
  return tenantId === null
    ? core.db.systemQuery<Failure>(`select ${columns} from system_jobs where last_error is not null`)
    : core.db.systemQuery<Failure>(
        `select ${columns} from tenant_jobs where tenant_id = $1 and last_error is not null`,
        [tenantId],
      )
}
