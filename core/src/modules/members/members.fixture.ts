import { type Actor, type Core, type Ctx, defineError, defineModule, newId } from '#kernel'
import { drainJobs } from '../../testing/drain-jobs.ts'
import { createTestCore, type TestCore } from '../../testing/index.ts'
import { mail } from '../mail/index.ts'
import { listMailbox } from '../mail/mailbox.ts'
import { assignRole, getSystemRole, roles, type SystemRoleKey } from '../roles/index.ts'
import { stores } from '../stores/index.ts'
import { foundTenant, tenants } from '../tenants/index.ts'
import { addUser, findUser, users } from '../users/index.ts'
import { createMember, findMember, members } from './index.ts'

const sessionRevoked = defineError('session_revoked', 401, 'The session has ended')

/** A credential that says itself who it is; what it is worth is for the membership and the roles to say. */
export const tokenFor = (userId: string, tenantId: string | null) =>
  `as.${Buffer.from(JSON.stringify({ userId, tenantId })).toString('base64url')}`

const signIn = defineModule({
  name: 'sign_in_fixture',
  dependsOn: [members],
  authenticators: [
    {
      name: 'fixture',
      matches: (token) => token.startsWith('as.'),
      identify: (_core, token) => {
        const { userId, tenantId } = JSON.parse(Buffer.from(token.slice(3), 'base64url').toString())
        const actor: Actor = { type: 'user', id: userId, label: '', impersonatorId: null }
        return { key: token, tenantId, userId, sessionId: null, actor }
      },
      standing: async (tx, { tenantId, userId, actor }) => {
        if (tenantId && (await findMember(tx, tenantId, userId!))?.status !== 'active') throw sessionRevoked() // set above
        const user = await findUser(tx, userId!) // set above
        return { actor: { ...actor, label: user?.name ?? '' }, superAdmin: false, scopes: null }
      },
    },
  ],
})

/** A core of the modules that members stand on, and no more. */
export const createMembersCore = (env: Record<string, string> = {}): Promise<TestCore> =>
  createTestCore({ modules: [users, tenants, stores, roles, mail, members, signIn], env })

/** A tenant with its owner. */
export async function found(core: Core, name = 'Acme') {
  const tenantId = newId()
  const work = async (ctx: Ctx) => {
    const user = await addUser(ctx, {
      email: `owner-${newId()}@example.com`,
      name: 'Olga Owner',
      emailVerifiedAt: ctx.clock.now(),
    })
    await foundTenant(ctx, { id: tenantId, name, founder: { userId: user.id, name: user.name } })
    return user
  }
  const owner = await core.run(work, { tenantId })
  return { tenantId, userId: owner.id, email: owner.email, token: tokenFor(owner.id, tenantId) }
}

/** Somebody who joins that tenant with a built-in role, for the whole tenant or one store; null: with none. */
export async function join(
  core: Core,
  tenantId: string,
  key: SystemRoleKey | null,
  { storeId = null, name = 'Max Member' }: { storeId?: string | null; name?: string } = {},
) {
  const work = async (ctx: Ctx) => {
    const user = await addUser(ctx, { email: `${newId()}@example.com`, name, emailVerifiedAt: ctx.clock.now() })
    await createMember(ctx, { user, name, roles: [] })
    if (key) {
      const { id } = await getSystemRole(ctx.tx, tenantId, key)
      await assignRole(ctx, { userId: user.id, roleId: id, storeId }, { preauthorized: true })
    }
    return user
  }
  const user = await core.run(work, { tenantId })
  return { userId: user.id, email: user.email, token: tokenFor(user.id, tenantId) }
}

/** The id of a built-in role. */
export const roleId = (core: Core, tenantId: string, key: SystemRoleKey): Promise<string> =>
  core.run(async ({ tx }) => (await getSystemRole(tx, tenantId, key)).id, { tenantId })

/** Sends the tenant's waiting mails and gives the token in the latest one to that address. */
export async function readToken(test: TestCore, tenantId: string, to: string): Promise<string> {
  await drainJobs(test.core, tenantId)
  const mail = (await listMailbox(test.dataDir)).find((each) => each.to === to)
  const token = /\?token=([^\s]+)/.exec(mail?.text ?? '')?.[1]
  if (!token) throw new Error(`No mail with a token came for ${to}`)
  return decodeURIComponent(token)
}

/** The names of what was recorded in a tenant, oldest first, without what founding and joining recorded. */
export async function recorded(core: Core, tenantId: string, since: string): Promise<string[]> {
  const rows = await core.run(
    ({ tx }) =>
      tx
        .selectFrom('audit_logs')
        .select(['action', 'id'])
        .where('tenant_id', '=', tenantId)
        .where('id', '>', since)
        .orderBy('id')
        .execute(),
    { tenantId },
  )
  return rows.map(({ action }) => action)
}
