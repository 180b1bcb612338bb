import { defineModule } from '#kernel'
import { mail } from '../mail/index.ts'
import { members } from '../members/index.ts'
import { tenants } from '../tenants/index.ts'
import * as events from './events.ts'
import { dropMonths } from './retention/drop-months.ts'
import { retentionShortenedMail } from './retention/mails.ts'
import { storedArchives } from './retention/move.ts'
import { auditRetentionDays, auditRetentionPending } from './retention/period.ts'
import { removeExpired } from './retention/remove-expired.ts'
import { findExpired } from './retention/retention.ts'
import { warnOwners } from './retention/warn-owners.ts'
import { auditRoutes } from './routes.ts'
import { chainEnds } from './seals/chain-ends.ts'
import { checkpointKeys } from './seals/checkpoint-keys.ts'
import { findBehind, findUnsealed, seal } from './seals/seal-jobs.ts'
import { auditSupport } from './support.ts'

export * from './events.ts'
export { listAuditLogsEverywhere, writeAuditLogsEverywhere } from './everywhere/operations.ts'
export { getAuditLog, listAuditLogs } from './operations.ts'
export { retentionShortenedMail } from './retention/mails.ts'
export { auditRetentionDays, auditRetentionPending } from './retention/period.ts'
export { AuditLog, WideAuditLogQuery, type WideFilters } from './schema.ts'
export { canonicalJson } from './seals/chain.ts'
export type { Finding } from './seals/check.ts'
export { checkExport, type ExportVerdict } from './seals/check-export.ts'
export { type CheckpointKey, checkpointKeys, readPublicKey } from './seals/checkpoint-keys.ts'
export { readLines } from './seals/lines.ts'
export { appendRemoval, type Sealing, sealTenant } from './seals/seal.ts'
export { getSealedPosition, readSealed, type SealedRecord } from './seals/sealed-records.ts'
export type { AuditBlockTable, AuditChainTable } from './table.ts'

/** Shows and seals what the kernel records: who did what, when and from where. */
export const audit = defineModule({
  name: 'audit',
  description: 'Who did what, when and from where, and the proof that nobody has changed it since.',
  dependsOn: [tenants, members, mail],
  migrations: new URL('./migrations/', import.meta.url),
  messages: new URL('./messages/', import.meta.url),
  permissions: {
    'audit.view': 'See what happened',
    'audit.export': 'Export what happened',
    'audit.retention': { description: 'Shorten how long records of what happened are kept', roles: [] },
  },
  events: Object.values(events),
  routes: auditRoutes,
  jobs: [seal, removeExpired],
  schedules: [findUnsealed, findBehind, findExpired, dropMonths],
  listeners: [warnOwners],
  mails: [retentionShortenedMail],
  resources: [checkpointKeys],
  settings: [auditRetentionDays, auditRetentionPending],
  stored: [storedArchives],
  checks: [chainEnds],
  exported: {
    audit_chains: { never: 'seals are worth something together with the key of this installation' },
    audit_blocks: { never: 'seals are worth something together with the key of this installation' },
    audit_names: { never: 'made of audit_logs, for search' },
    audit_terms: { never: 'made of audit_logs, for search' },
    audit_verifications: { never: 'what a check of the seals of this installation said' },
  },
  support: [auditSupport],
  cases: () => import('./audit.cases.ts'),
})
