import { runCommand } from './cli/commands.ts'
import { builtinModules } from './modules/index.ts'

/** The core run on its own, with the built-in modules and nothing else. */
export function main(args: string[]): Promise<void> {
  return runCommand(args, { modules: builtinModules, product: { command: 'tenantry' } })
}
