import { defineModule } from '#kernel'
import { auditExported } from './events.ts'
import { routes } from './routes.ts'

export { auditExported } from './events.ts'
export { AuditLog } from './schema.ts'

/** Shows what the kernel records: who did what, when and from where. */
export const audit = defineModule({
  name: 'audit',
  migrations: new URL('./migrations/', import.meta.url),
  permissions: {
    'audit.view': 'See what happened',
    'audit.export': 'Export what happened',
  },
  events: [auditExported],
  routes,
})
