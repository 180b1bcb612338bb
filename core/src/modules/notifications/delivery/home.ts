import { type Ctx, defineJob, mailNotice, type NotificationDefinition, type NotifiedPerson, Type } from '#kernel'
import { findLogin, findUser, listUserTenants } from '../../users/index.ts'
import { listPeople } from '../queries.ts'
import { FanOut } from './notice.ts'
import { tell } from './tell.ts'

/**
 * Tells one person of something about themself, in the tenant last used, else in the one they have belonged to longest; where
 * they are active in none, by the mail of the kind alone.
 */
export const tellElsewhere = defineJob('notifications.tell_elsewhere', {
  payload: Type.Object({ ...FanOut.properties, user_id: Type.String() }, { additionalProperties: false }),
  transaction: 'manual',
  handler: async (ctx, { user_id, ...notice }) => {
    const kind = ctx.registry.notifications.get(notice.kind)
    if (!kind) return
    const { person, homes } = await ctx.transaction((ctx) => findHomes(ctx, user_id), { tenantId: null })
    if (person?.status !== 'active') return
    for (const tenantId of homes)
      if (await ctx.transaction((ctx) => tellIn(ctx, kind, notice, user_id), { tenantId })) return
    await ctx.transaction((ctx) => mailNotice(ctx, kind, notice.data as never, person), { tenantId: null }) // of its kind
  },
})

/** A person, and the tenants that they belong to: the one last used first, then by age. */
async function findHomes({ tx }: Ctx, userId: string) {
  const [person, login, tenants] = await Promise.all([
    findUser(tx, userId),
    findLogin(tx, userId),
    listUserTenants(tx, userId),
  ])
  const ids = tenants.map(({ tenant_id }) => tenant_id)
  const last = ids.filter((id) => id === login?.last_tenant_id)
  return { person, homes: [...last, ...ids.filter((id) => !last.includes(id))] }
}

/** False: they are not active in this tenant. */
async function tellIn(ctx: Ctx, kind: NotificationDefinition, notice: FanOut, userId: string): Promise<boolean> {
  const only = { ids: [userId], holding: null, except: null, after: null, limit: 1 }
  const people: NotifiedPerson[] = await listPeople(ctx.tx, ctx.tenantId, only)
  if (people.length > 0) await tell(ctx, kind, notice, people)
  return people.length > 0
}
