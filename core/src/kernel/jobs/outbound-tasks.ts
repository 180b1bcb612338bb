import type { TaskList } from 'graphile-worker'
import type { Core } from '../core.ts'
import { createVisit, type Places, type Visit } from './outbound-visit.ts'
import { runDueJobs } from './run.ts'
import { RUN_OUTBOUND_TASK, type WakePayload } from './schedules.ts'

export interface OutboundTasks {
  readonly tasks: TaskList
  /** Resolves once nothing runs, in slow places either. */
  ended(): Promise<void>
}

/** What wakes for outbound jobs bring about. */
export function createOutboundTasks(core: Core, places: Places, stopping: AbortSignal): OutboundTasks {
  const running = new Set<Promise<void>>()

  async function run(tenant: string | null, visit: Visit): Promise<void> {
    let more = false
    try {
      more = await runDueJobs(core, tenant, stopping, true, visit)
    } catch (error) {
      // Nobody waits for it any more.
      if (visit.hasLeft()) core.log.warn({ err: error }, 'jobs could not be run; the sweep will find them')
      else throw error
    } finally {
      visit.end(more)
    }
  }
  return {
    tasks: {
      [RUN_OUTBOUND_TASK]: async (payload) => {
        const { tenant_id } = payload as WakePayload // written by addWake
        if (!places.quick.enter(tenant_id)) return
        const visit = createVisit(core, places, tenant_id)
        const turn = run(tenant_id, visit).finally(() => running.delete(turn))
        running.add(turn)
        // Whoever leaves for a slow place leaves the queue's, too.
        await Promise.race([turn, visit.leaving])
      },
    },
    ended: async () => void (await Promise.allSettled(running)),
  }
}
