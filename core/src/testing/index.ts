// The second door: what tests of the core and of applications use.
export { createTestDatabase, type TestDatabase } from './cluster.ts'
export { createTestCore, type TestCore, type TestCoreOptions } from './core.ts'
export { IsolationError } from './isolation/findings.ts'
export { runIsolationKit } from './isolation/run.ts'
export type {
  Credentials,
  Fillers,
  Filling,
  Founded,
  Founding,
  IsolationOptions,
  IsolationReport,
  Kind,
  Tenant,
} from './isolation/types.ts'
export { proveAddress } from './prove-address.ts'
export type { Answered, RequestOptions } from './request.ts'
export { undescribed } from './undescribed.ts'
