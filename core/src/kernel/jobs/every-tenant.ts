import type { Ctx } from '../context.ts'
import type { Core } from '../core.ts'
import { coreOf } from '../core-of.ts'
import { createContext, noOrigin, systemActor } from '../create-context.ts'
import type { Tx } from '../db/tables.ts'
import { claiming, Interrupted } from './claim.ts'
import { listResting } from './resting.ts'

const BATCH = 500

/** A page of tenants after a given one, by id. */
export interface SweepPage {
  after: string | null
  limit: number
}

/** Work on many tenants, one after the other. */
export interface Sweep<T extends { tenant_id: string }> {
  /** `<module>.<verb_noun>`: names it in the log and in metrics, and is what one process at a time is at. */
  name: string
  /**
   * The tenants that have work, with whatever else the work needs to know: a row for each, ascending by `tenant_id`, all
   * after `after`, `limit` at most. Called as the system role in a short transaction of its own, until it gives none; so
   * it must not give a tenant again that failed, which the order sees to. Those that are at rest are passed over.
   */
  list(tx: Tx, page: SweepPage): Promise<readonly T[]>
  /**
   * `managed` (default): the work runs in a transaction of its tenant. `manual`: without one, for what talks to the outside;
   * it opens transactions itself.
   */
  transaction?: 'managed' | 'manual'
  /**
   * The work on one tenant. May run again for one that is done already. `stopping` is aborted when the core closes: work that
   * takes long throws its reason then, and another process begins it again.
   */
  work(ctx: Ctx, tenant: T, stopping: AbortSignal): Promise<void>
}

/**
 * Runs work for each tenant, in one process at a time: the list in short reads of its own, then a transaction per
 * tenant. A failure is logged and counted and does not stop the others. After a crash or stop the next call continues.
 * Returns at once while another process runs it. No transaction may be open.
 */
export async function everyTenant<T extends { tenant_id: string }>(of: Ctx | Core, sweep: Sweep<T>): Promise<void> {
  const core = coreOf(of)
  const isMine = await claiming(core, `sweep ${sweep.name}`, async (claimed) => {
    for (let after = claimed.position; ; ) {
      const page: SweepPage = { after, limit: BATCH }
      const { tenants, resting } = await readPage(core, sweep, page)
      if (tenants.length === 0) return
      for (const tenant of tenants) {
        claimed.assertGoesOn()
        if (after !== null && tenant.tenant_id <= after)
          throw new Error(`The list of the sweep ${sweep.name} must ascend by tenant_id`)
        if (!resting.has(tenant.tenant_id)) await workOn(core, sweep, tenant)
        after = tenant.tenant_id
        await claimed.save(after)
      }
    }
  })
  if (!isMine) core.log.info({ sweep: sweep.name }, 'a sweep is left out: another process is at it')
}

/** A page of the list, and which of its tenants are at rest. */
async function readPage<T extends { tenant_id: string }>(core: Core, sweep: Sweep<T>, page: SweepPage) {
  return core.run(
    async ({ tx }) => {
      const tenants: readonly T[] = await sweep.list(tx, page)
      const ids = tenants.map(({ tenant_id }) => tenant_id)
      return { tenants, resting: ids.length === 0 ? NOBODY : await listResting(tx, ids) }
    },
    { role: 'system', tenantId: null },
  )
}

const NOBODY: ReadonlySet<string> = new Set()

async function workOn<T extends { tenant_id: string }>(core: Core, sweep: Sweep<T>, tenant: T): Promise<void> {
  const { tenant_id } = tenant
  const { stopping } = core
  try {
    if (sweep.transaction === 'manual') await sweep.work(contextOf(core, tenant_id), tenant, stopping)
    else await core.run((ctx) => sweep.work(ctx, tenant, stopping), { tenantId: tenant_id })
    core.tenantSwept?.(sweep.name, 'done')
  } catch (error) {
    if (error instanceof Interrupted) throw error
    if (stopping.aborted && error === stopping.reason) throw new Interrupted()
    core.tenantSwept?.(sweep.name, 'failed')
    core.log.error({ err: error, tenant_id, sweep: sweep.name }, 'the work of a sweep on one tenant failed')
  }
}

const contextOf = (core: Core, tenant: string): Ctx =>
  createContext(core, { tenant, storeId: null, actor: systemActor, origin: noOrigin })
