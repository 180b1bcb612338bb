import { Closed, defineSupport, Nullable, Type } from '#kernel'
import { explainForOperator } from './operations.ts'
import { Explanation } from './schema.ts'

/** Whether the person may do what is asked about, and what they lack: the answer of `POST /authz/explain` for them. */
export const permissionSupport = defineSupport({
  name: 'permission',
  description: 'What they lack for the permission that was asked about',
  roles: ['support', 'operations'],
  schema: Closed({
    explanation: Nullable(
      Type.With(Explanation, {
        description: 'What a request of theirs would meet; null: no permission was asked about',
      }),
    ),
  }),
  causes: {
    permission_missing: {
      severity: 'high',
      likelihood: 99,
      do: 'An owner or admin of the tenant gives them a role with the permission: for the whole tenant, or for the store that they work in.',
    },
    feature_missing: {
      severity: 'high',
      likelihood: 98,
      do: 'The plan of the tenant does not have the feature: its owner chooses one that has, or an operator with the role `billing` does.',
    },
    no_member: {
      severity: 'high',
      likelihood: 75,
      do: 'They do not belong to the tenant, or have not accepted yet: an owner or admin invites them.',
    },
  },
  async read(ctx, { tenantId, userId, storeId, permission }) {
    if (permission === null || tenantId === null || userId === null)
      return { shown: { explanation: null }, findings: [] }
    const explanation = await explainForOperator(ctx, { permission, storeId, userId })
    return { shown: { explanation }, findings: findingOf(explanation, permission, tenantId) }
  },
})

// What else there can be, the sections of memberships, tenants and subscriptions find by what they see.
function findingOf({ reason, missing }: Explanation, permission: string, tenantId: string) {
  switch (reason) {
    case 'no_role':
      return [{ code: 'permission_missing' as const, tenantId, what: `No role of theirs gives ${permission} there.` }] // declared above
    case 'store_only':
      return [
        {
          code: 'permission_missing' as const, // as above
          tenantId,
          what: `They hold ${permission} for single stores alone, not for the whole tenant.`,
        },
      ]
    case 'plan_feature':
      return [
        {
          code: 'feature_missing' as const, // as above
          tenantId,
          what: `${permission} takes the feature ${missing?.feature}, which the plan is without.`,
        },
      ]
    case 'not_member':
      return [{ code: 'no_member' as const, tenantId, what: 'They are no member of the tenant.' }] // as above
    default:
      return []
  }
}
