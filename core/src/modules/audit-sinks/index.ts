import { defineModule, HOURS, MINUTES } from '#kernel'
import { audit } from '../audit/index.ts'
import { tenants } from '../tenants/index.ts'
import { findBacklog } from './backlog.ts'
import * as events from './events.ts'
import { importedSinks, restoredSinks } from './imported.ts'
import { sinkDisabledNotice } from './notifications.ts'
import { auditSinkRoutes } from './routes.ts'
import { sinkSecrets } from './secrets.ts'
import { sendBatches } from './send.ts'

export * from './events.ts'
export { AuditSink } from './schema.ts'

/** Streams the sealed audit log of a tenant to servers that it names. */
export const auditSinks = defineModule({
  name: 'audit-sinks',
  description: "Servers of a tenant's own that its audit log is streamed to.",
  dependsOn: [tenants, audit],
  migrations: new URL('./migrations/', import.meta.url),
  messages: new URL('./messages/', import.meta.url),
  permissions: {
    'audit.stream': 'Have what happens sent to other servers',
  },
  events: Object.values(events),
  routes: auditSinkRoutes,
  jobs: [sendBatches],
  schedules: [findBacklog],
  notifications: [sinkDisabledNotice],
  sealed: [sinkSecrets.sealed],
  // An attempt is delayed by at most an hour and an eighth; a sender without a sign of life for a minute counts as
  // dead.
  moments: [
    { table: 'audit_sinks', column: 'next_attempt_at', aheadMs: 2 * HOURS },
    { table: 'audit_sinks', column: 'locked_until', aheadMs: 2 * MINUTES },
  ],
  exported: {
    audit_sinks: {
      without: ['secret', 'previous_secret', 'previous_until', 'locked_by', 'locked_until'],
      imported: importedSinks,
      restored: restoredSinks,
    },
  },
  cases: () => import('./audit-sinks.cases.ts'),
})
