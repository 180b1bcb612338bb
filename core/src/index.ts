// The door: all that an application imports.
export {
  type CommandArguments,
  type CommandLineOptions,
  defineCommand,
  type OptionSpec,
  type OptionSpecs,
  type OwnCommand,
} from './cli/command.ts'
export { runCommand } from './cli/commands.ts'
export { UsageError } from './cli/failures.ts'
export { type CoreOptions, createCore, migrationsOf } from './create-core.ts'
export * from './kernel/index.ts'
export { builtinModules } from './modules/index.ts'
export { attachPaymentMethod, settleCharge, subscriptions, tenantOfCharge } from './modules/subscriptions/index.ts'
