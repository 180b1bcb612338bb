import { defineModule } from '#kernel'
import { tenants } from '../tenants/index.ts'
import { checkpointKeys } from './checkpoint-keys.ts'
import { dropMonths } from './dropping.ts'
import { auditExported, auditRemoved } from './events.ts'
import { removeExpired } from './removing.ts'
import { findExpired } from './retention.ts'
import { routes } from './routes.ts'
import { findBehind, findUnsealed, seal } from './sealing-jobs.ts'

export type { Finding } from './checking.ts'
export { checkExport, type ExportVerdict } from './checking-export.ts'
export { type CheckpointKey, readPublicKey } from './checkpoint-keys.ts'
export { auditExported, auditRemoved } from './events.ts'
export { readLines } from './lines.ts'
export { getSealedPosition, readSealed, type SealedRecord } from './reading-sealed.ts'
export { AuditLog } from './schema.ts'

export { appendRemoval, type Sealing, sealTenant } from './sealing.ts'
export type { AuditBlockTable, AuditChainTable } from './table.ts'

/** Shows and seals what the kernel records: who did what, when and from where. */
export const audit = defineModule({
  name: 'audit',
  dependsOn: [tenants],
  migrations: new URL('./migrations/', import.meta.url),
  permissions: {
    'audit.view': 'See what happened',
    'audit.export': 'Export what happened',
  },
  events: [auditExported, auditRemoved],
  routes,
  jobs: [seal, removeExpired],
  schedules: [findUnsealed, findBehind, findExpired, dropMonths],
  resources: [checkpointKeys],
})
