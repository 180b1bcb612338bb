import { Closed, Described, defineSupport, Nullable, OneOf, pickFields, Timestamp, Type, Uuid } from '#kernel'
import { listTenantsStanding } from './support-queries.ts'

const Standing = Closed({
  id: Described(Uuid, 'The tenant'),
  name: Type.String({ description: 'Its name' }),
  slug: Type.String({ description: 'Its slug' }),
  status: OneOf(['active', 'suspended', 'deleted'], { description: 'Only an `active` one can be used' }),
  is_owner: Type.Boolean({ description: 'Whether the person owns it' }),
  suspended_at: Nullable(Described(Timestamp, 'Since when its people are kept out; null: they are not')),
  suspended_reason: Nullable(Type.String({ description: 'Why' })),
})

/** How the tenants that were looked at stand. */
export const tenantsSupport = defineSupport({
  name: 'tenants',
  description: 'How the tenants that were looked at stand',
  roles: ['support', 'billing', 'operations'],
  schema: Closed({ tenants: Type.Array(Standing, { description: 'Those that were looked at' }) }),
  causes: {
    tenant_suspended: {
      severity: 'high',
      likelihood: 95,
      do: 'Look at why it was suspended; an operator with the role `operations` reactivates it once that is settled.',
    },
    tenant_deleted: {
      severity: 'high',
      likelihood: 94,
      do: 'The tenant is deleted. Say so, and to whom it may concern: its owner.',
    },
  },
  async read({ tx }, { tenantIds, userId }) {
    const rows = await listTenantsStanding(tx, tenantIds)
    const tenants = rows.map((row) => pickFields(Standing, { ...row, is_owner: row.owner_id === userId }))
    const findings = rows.flatMap(({ id: tenantId, status, suspended_at, updated_at }) => {
      const at = suspended_at ?? updated_at
      const found = (code: 'tenant_suspended' | 'tenant_deleted', what: string) => [{ code, tenantId, what, at }]
      if (status === 'suspended') return found('tenant_suspended', `It is suspended since ${at}.`)
      return status === 'deleted' ? found('tenant_deleted', 'It is deleted.') : []
    })
    return { shown: { tenants }, findings }
  },
})
