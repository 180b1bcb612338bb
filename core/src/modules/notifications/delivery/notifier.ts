import { Value } from 'typebox/value'
import { type Actor, mailNotice, type NotificationDefinition, type Notifier, newId } from '#kernel'
import { listUserTenants } from '../../users/index.ts'
import { fanOut, tellNext } from './fan-out.ts'
import { tellElsewhere } from './home.ts'
import type { FanOut } from './notice.ts'

/** Tells people in jobs after the commit. */
export const notifier: Notifier = {
  async notify(ctx, kind, { data, to, storeId = ctx.recordedStoreId, type = null, key = newId() }) {
    const erased = kind as unknown as NotificationDefinition // its data is checked below
    const notice = noticeOf(erased, data, { key, at: ctx.clock.now(), store_id: storeId, type })
    if (!kind.personal) {
      const named = to?.map(({ id }) => id) ?? null
      return ctx.enqueue(fanOut, { ...notice, actor_id: actorOf(ctx.actor), to: named })
    }
    for (const person of to ?? []) {
      const tenants = await listUserTenants(ctx.tx, person.id)
      const told = { ...notice, to: [person.id] }
      if (tenants.some(({ tenant_id }) => tenant_id === ctx.tenant)) await ctx.enqueue(fanOut, told)
      else if (tenants.length > 0) await ctx.enqueue(tellElsewhere, { ...told, user_id: person.id })
      // Whoever is in no tenant has no list: what is left is the mail.
      else await mailNotice(ctx, kind, data, person)
    }
  },

  // The job of an event's listener is as good as one of our own.
  async hear(ctx, kind, event, { data, to = null }) {
    const erased = kind as unknown as NotificationDefinition // as above
    const notice = noticeOf(erased, data, { key: event.id, at: event.at, store_id: event.storeId, type: null })
    await tellNext(ctx, erased, { ...notice, actor_id: actorOf(event.actor), to: to && [...to] })
  },
}

type Moment = Pick<FanOut, 'key' | 'at' | 'store_id' | 'type'>

function noticeOf({ kind, data: schema }: NotificationDefinition, data: unknown, moment: Moment): FanOut {
  if (!Value.Check(schema, data)) throw new Error(`The data of ${kind} has another shape than declared`)
  return { kind, ...moment, data: data as Record<string, unknown>, actor_id: null, to: null, after: null } // an object, as above
}

/** Whose own doing it is: what an operator does as somebody else is news to them. */
const actorOf = ({ type, id, impersonatorId }: Pick<Actor, 'id' | 'impersonatorId'> & { type: string }) =>
  type === 'user' && !impersonatorId ? id : null
