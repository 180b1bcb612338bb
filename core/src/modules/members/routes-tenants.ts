import { Answer, Closed, defineRoute, Short, Type } from '#kernel'
import { Tenant } from '../tenants/index.ts'
import { listMemberships } from './memberships.ts'
import { membershipOf } from './schema.ts'

const PATH = '/users/me/tenants'
const PAGE = 100

const myTenants = defineRoute({
  method: 'GET',
  path: PATH,
  name: 'listMyTenants',
  summary: 'List the tenants that you belong to, the oldest membership first',
  description:
    'The first hundred. Are there more, the header `Link` names the address of the next ones (`rel="next"`, RFC 8288).',
  access: 'self',
  transaction: 'manual',
  // Reads the person's own rows in each of their tenants.
  acrossTenants: true,
  query: Closed({
    cursor: Type.Optional(
      Type.String({ minLength: 1, maxLength: 1000, description: 'As the header `Link` of the answer before has it' }),
    ),
  }),
  response: { 200: Short(membershipOf(Tenant)) },
  handler: async (ctx) => {
    const { data, next_cursor } = await listMemberships(ctx, ctx.userId, PAGE)
    if (next_cursor === null) return { data }
    const link = `</api/v1${PATH}?cursor=${encodeURIComponent(next_cursor)}>; rel="next"`
    return new Answer(200, { data }, { link })
  },
})

export const tenantRoutes = [myTenants]
