import { Closed, defineNotification, EMAIL, follows, IN_APP, Type, Uuid } from '#kernel'
import { exportFailed, tenantExported } from './events.ts'

/** Owners: they alone may have it, and each of them is to know that somebody has asked for it. */
const audience = { permission: 'tenant.export' }
const channels = [IN_APP, EMAIL]
/** The page of the application that shows the export, and has a link that downloads it made for whoever is signed in. */
const actions = [{ name: 'open', route: () => '/settings/export' as const }] // a path is a type

/** An export of the tenant can be downloaded. */
export const tenantExportedNotice = defineNotification('tenant.exported', {
  type: 'success',
  data: Closed({ job_id: Uuid, expires_at: Type.String({ format: 'date-time' }) }),
  audience,
  channels,
  actions,
  groupKey: () => 'tenant.exported',
  expiresAt: ({ expires_at }) => expires_at,
  on: [
    follows(tenantExported, ({ after }) =>
      after?.job_id && after.expires_at ? { data: { job_id: after.job_id, expires_at: after.expires_at } } : null,
    ),
  ],
})

/** There is none, although it was asked for. */
export const exportFailedNotice = defineNotification('tenant.export_failed', {
  type: 'error',
  data: Closed({ job_id: Uuid }),
  audience,
  channels,
  actions,
  groupKey: () => 'tenant.export_failed',
  on: [follows(exportFailed, ({ after }) => (after?.job_id ? { data: { job_id: after.job_id } } : null))],
})
