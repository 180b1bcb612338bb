import { type Actor, type Core, type Ctx, defineModule, type Grant, newId } from '#kernel'
import { addUser } from '../users/index.ts'
import { foundTenant } from './found-tenant.ts'

/** Who calls, and what they may do: for the whole tenant, or in one store. */
export interface Caller {
  tenantId: string | null
  userId: string
  permissions?: readonly string[]
  storeId?: string | null
}

/** A credential that says itself what it is worth, so that a module is tested without the modules that grant. */
export function tokenFor(caller: Caller): string {
  return `as.${Buffer.from(JSON.stringify(caller)).toString('base64url')}`
}

function callerOf(token: string): Caller {
  return JSON.parse(Buffer.from(token.slice('as.'.length), 'base64url').toString())
}

const actorOf = ({ userId }: Caller): Actor => ({ type: 'user', id: userId, label: 'somebody', impersonatorId: null })

/** Takes such credentials at their word. */
export const signIn = defineModule({
  name: 'sign_in_fixture',
  authenticators: [
    {
      name: 'fixture',
      matches: (token) => token.startsWith('as.'),
      identify: (_core, token) => {
        const caller = callerOf(token)
        const { tenantId, userId } = caller
        return { key: token, tenantId, userId, sessionId: null, actor: actorOf(caller) }
      },
      standing: async (_tx, { actor }) => ({ actor, superAdmin: false, scopes: null }),
    },
  ],
  grants: [
    async (_tx, { key }): Promise<Grant[]> => {
      const { permissions = [], storeId = null } = callerOf(key)
      return [{ permissions, storeId, roleId: newId(), role: 'fixture' }]
    },
  ],
})

/** A tenant with its founder, who holds every permission. */
export async function found(core: Core, name = 'Acme', slug?: string) {
  const id = newId()
  const work = async (ctx: Ctx) => {
    const user = await addUser(ctx, { email: `${newId()}@example.com`, name: 'Ada' })
    const tenant = await foundTenant(ctx, { id, name, slug, founder: { userId: user.id, name: user.name } })
    return { tenant, user }
  }
  const { tenant, user } = await core.run(work, { tenantId: id })
  const permissions = [...core.registry.permissions.keys()]
  return {
    tenantId: id,
    slug: tenant.slug,
    userId: user.id,
    token: tokenFor({ tenantId: id, userId: user.id, permissions }),
  }
}
