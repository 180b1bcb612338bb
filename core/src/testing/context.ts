import type { Ctx } from '../kernel/context.ts'
import type { Core } from '../kernel/core.ts'
import { createContext, noOrigin, systemActor } from '../kernel/create-context.ts'

/** The system in a tenant, outside of any request and of any transaction, as a `manual` job gets it. */
export function contextOf(core: Core, tenantId: string): Ctx {
  return createContext(core, { tenant: tenantId, storeId: null, actor: systemActor, origin: noOrigin })
}
