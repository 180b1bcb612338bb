import { Closed, Described, defineEvent, Nullable, Type, Uuid } from '#kernel'
import { OverridesRecord } from '../subscriptions/index.ts'
import { TenantAct } from './schema.ts'

const about = { data: TenantAct, resource: 'tenant' }

export const tenantChangedByOperator = defineEvent('admin.tenant_changed', {
  description: 'An operator changed the name or slug of a tenant',
  ...about,
})
export const tenantSuspendedByOperator = defineEvent('admin.tenant_suspended', {
  description: 'An operator keeps everybody out of a tenant',
  ...about,
})
export const tenantReactivatedByOperator = defineEvent('admin.tenant_reactivated', {
  description: 'An operator lets everybody into a tenant again',
  ...about,
})
export const trialExtendedByOperator = defineEvent('admin.trial_extended', {
  description: 'An operator lets the trial of a tenant last longer',
  ...about,
})
export const planChangedByOperator = defineEvent('admin.plan_changed', {
  description: 'An operator chose a plan for a tenant',
  ...about,
})
export const overridesChangedByOperator = defineEvent('admin.overrides_changed', {
  description: 'An operator gave a tenant a limit or feature in place of what its plan says, or took one back',
  data: Closed({
    id: Described(Uuid, 'The tenant'),
    name: Type.String({ description: 'Its name' }),
    slug: Type.String({ description: 'Its slug' }),
    ...OverridesRecord.properties,
  }),
  resource: 'tenant',
})
export const sessionsRevoked = defineEvent('admin.sessions_revoked', {
  description: 'Every session of a person was ended by who runs the installation',
  data: Closed({
    id: Described(Uuid, 'The person'),
    name: Type.String({ description: 'Their name' }),
  }),
  resource: 'user',
})
export const tenantsExported = defineEvent('admin.tenants_exported', {
  description: 'The list of tenants left the installation as a file',
  data: Closed({
    q: Nullable(Type.String({ description: 'What was looked for' })),
    status: Nullable(Type.String({ description: 'Of this status alone' })),
    plan_id: Nullable(Type.String({ description: 'With this plan alone' })),
  }),
  resource: 'tenant',
})
