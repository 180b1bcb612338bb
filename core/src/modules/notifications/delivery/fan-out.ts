import { type Ctx, defineJob, type NotificationDefinition } from '#kernel'
import { BATCH, nextPeople } from './audience.ts'
import { tellElsewhere } from './home.ts'
import { FanOut } from './notice.ts'
import { tell } from './tell.ts'

/** Tells people of one tenant, so many in a transaction; the next ones are told by a job of their own. */
export const fanOut = defineJob('notifications.fan_out', {
  payload: FanOut,
  handler: async (ctx, payload) => {
    const kind = ctx.registry.notifications.get(payload.kind)
    // Its module was removed from the core: nobody could read what it says.
    if (!kind) ctx.log.info({ kind: payload.kind }, 'nobody is told of a kind that no module lists')
    else await tellNext(ctx, kind, payload)
  },
})

/** Tells the next people, and has the others told. */
export async function tellNext(ctx: Ctx, kind: NotificationDefinition, notice: FanOut): Promise<void> {
  if (!(await hasFeature(ctx, kind))) return
  const people = await nextPeople(ctx, kind, notice)
  if (people.length > 0) await tell(ctx, kind, notice, people)
  const last = people.at(-1)
  if (people.length === BATCH && last) await ctx.enqueue(fanOut, { ...notice, after: last.id })
  // Whoever is told about themself has to hear of it, wherever they still are.
  if (!kind.personal) return
  const told = new Set(people.map(({ id }) => id))
  for (const user_id of notice.to ?? [])
    if (!told.has(user_id)) await ctx.enqueue(tellElsewhere, { ...notice, user_id })
}

async function hasFeature(ctx: Ctx, { feature }: NotificationDefinition): Promise<boolean> {
  if (feature === undefined) return true
  return (await ctx.registry.allowances?.hasFeature(ctx, feature)) ?? true
}
