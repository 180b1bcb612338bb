import type { Ctx } from './context.ts'
import type { Core } from './core.ts'

/** The hidden property of a context with its core: handlers must not reach it, because a core reaches every tenant. */
export const CORE = Symbol('core')

/** The core that a context belongs to. For the kernel alone: none of this is exported. */
export function coreOf(of: Ctx | Core): Core {
  return CORE in of ? (of[CORE] as Core) : (of as Core) // every context is made by `createContext`, which sets it
}
