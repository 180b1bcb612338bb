// The door: all that an application imports.
export { type CoreOptions, createCore, migrationsOf } from './create-core.ts'
export * from './kernel/index.ts'
export { builtinModules } from './modules/index.ts'
export { attachPaymentMethod, settleCharge, subscriptions, tenantOfCharge } from './modules/subscriptions/index.ts'
