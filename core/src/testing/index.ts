// The second door: what tests of the core and of applications use.

export type { MovableClock } from '../kernel/clock.ts'
export { createTestDatabase, type TestDatabase } from './cluster.ts'
export { createTestCore, type TestCore, type TestCoreOptions } from './core.ts'
export { drainJobs } from './drain-jobs.ts'
export type { SentFile, SentForm } from './form.ts'
export { IsolationError } from './isolation/findings.ts'
export { runIsolationKit } from './isolation/run.ts'
export type {
  Cases,
  Credentials,
  Filled,
  Filling,
  Founded,
  Founding,
  IsolationOptions,
  IsolationReport,
  Kind,
  RouteCase,
  TableRow,
  Tenant,
} from './isolation/types.ts'
export { asOperator } from './operators.ts'
export type { MemberOptions, TenantOptions, TestPerson, TestTenant } from './people.ts'
export { proveAddress } from './prove-address.ts'
export type { Answered, RequestOptions } from './request.ts'
export { SOME_PICTURE } from './some-picture.ts'
export { undescribed } from './undescribed.ts'
export { untranslated } from './untranslated.ts'
