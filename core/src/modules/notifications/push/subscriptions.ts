import { type Ctx, notFound, pickFields, sha256, stamp, unauthenticated, within } from '#kernel'
import { userRemoved } from '../../members/index.ts'
import { insertPreferences, lockPreferences } from '../preferences/preference-queries.ts'
import { pushSubscriptionCreated, pushSubscriptionDeleted } from './events.ts'
import {
  deleteSubscription,
  findSubscription,
  listSubscriptions,
  updateSealed,
  upsertSubscription,
} from './push-queries.ts'
import { type NewPushSubscription, PushSubscription } from './schema.ts'
import { sealSubscription } from './sealed.ts'
import type { PushSubscriptionRow } from './table.ts'
import { vapidOf } from './vapid.ts'

/** Browsers of a person that are told in one tenant; of more the one longest not used is forgotten. */
const MOST = 20

/** The key that browsers subscribe with. Throws 404 where nothing is pushed. */
export function readPushKey(ctx: Ctx): { public_key: string } {
  return { public_key: requireVapid(ctx).publicKey }
}

/**
 * Has what the signed-in person is told in this tenant pushed to a browser, as long as the session lasts. The same browser
 * again is the same subscription, whoever subscribed it before. Throws 404 where nothing is pushed.
 */
export async function subscribe(ctx: Ctx, { endpoint, keys }: NewPushSubscription): Promise<PushSubscription> {
  requireVapid(ctx)
  const session_id = ctx.principal?.sessionId
  if (!session_id) throw unauthenticated()
  const { tenant_id, ...made } = stamp(ctx)
  // Held, so that two at once do not both take the last place.
  await insertPreferences(ctx.tx, { tenant_id, ...made, id: ctx.userId, kinds: {}, quiet_hours: null })
  await lockPreferences(ctx.tx, tenant_id, ctx.userId)
  const secrets = { endpoint, p256dh: keys.p256dh, auth: keys.auth }
  const { row, isNew } = await upsertSubscription(ctx.tx, {
    tenant_id,
    ...made,
    user_id: ctx.userId,
    session_id,
    endpoint_hash: sha256(endpoint),
    service: new URL(endpoint).hostname,
    sealed: sealSubscription(ctx, made.id, secrets),
  })
  if (!isNew) {
    await updateSealed(ctx.tx, row, sealSubscription(ctx, row.id, secrets))
    return present(row)
  }
  await ctx.emit(pushSubscriptionCreated, { after: present(row), label: row.service, storeId: null })
  for (const old of (await listSubscriptions(ctx.tx, tenant_id, ctx.userId)).slice(MOST)) await forget(ctx, old.id)
  return present(row)
}

/** Throws 404 for one that is not the person's. */
export async function unsubscribe(ctx: Ctx, id: string): Promise<void> {
  const row = await findSubscription(ctx.tx, ctx.tenantId, id)
  if (row?.user_id !== ctx.userId) throw notFound()
  await forget(ctx, id)
}

/** The same by the address that the browser knows. */
export async function unsubscribeEndpoint(ctx: Ctx, endpoint: string): Promise<void> {
  const hash = sha256(endpoint)
  const own = await listSubscriptions(ctx.tx, ctx.tenantId, ctx.userId)
  const row = own.find(({ endpoint_hash }) => hash.equals(endpoint_hash))
  if (!row) throw notFound()
  await forget(ctx, row.id)
}

/** Nothing is pushed to whoever left the tenant. */
export const forgetLeaver = within(userRemoved, 'notifications.forget_subscriptions', async (ctx, { before }) => {
  if (!before?.id) return
  for (const { id } of await listSubscriptions(ctx.tx, ctx.tenantId, before.id)) await forget(ctx, id)
})

/** Removes one, if it is still there, and records that. */
export async function forget(ctx: Ctx, id: string): Promise<void> {
  const row = await deleteSubscription(ctx.tx, ctx.tenantId, id)
  if (row) await ctx.emit(pushSubscriptionDeleted, { before: present(row), label: row.service, storeId: null })
}

const present = (row: PushSubscriptionRow): PushSubscription => pickFields(PushSubscription, row)

function requireVapid(ctx: Ctx) {
  const vapid = vapidOf(ctx)
  if (!vapid) throw notFound({ detail: 'Nothing is pushed by this installation' })
  return vapid
}
