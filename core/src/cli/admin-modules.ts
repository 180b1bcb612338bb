import type { Core } from '../kernel/core.ts'
import { UsageError } from './failures.ts'

/** Throws unless the application has these modules: without them there is nothing to do. */
export function requireModules({ registry }: Core, ...names: readonly string[]): void {
  const missing = names.find((name) => !registry.modules.some((module) => module.name === name))
  if (missing !== undefined)
    throw new UsageError(`this application has no operators: the module ${missing} is not among its modules`)
}
