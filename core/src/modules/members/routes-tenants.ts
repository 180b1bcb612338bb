import { defineRoute, Short } from '#kernel'
import { Tenant } from '../tenants/index.ts'
import { listMemberships } from './memberships.ts'
import { membershipOf } from './schema.ts'

const myTenants = defineRoute({
  method: 'GET',
  path: '/users/me/tenants',
  summary: 'List the tenants that you belong to, the oldest membership first',
  access: 'self',
  transaction: 'manual',
  response: { 200: Short(membershipOf(Tenant)) },
  handler: async (ctx) => ({ data: await listMemberships(ctx, ctx.userId) }),
})

export const tenantRoutes = [myTenants]
