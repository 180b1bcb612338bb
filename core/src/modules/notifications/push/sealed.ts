import type { Ctx, SealedKind } from '#kernel'
import type { PushSubscriptionRow } from './table.ts'

/** What a push service and a browser are told by. */
export interface SubscriptionSecrets {
  endpoint: string
  p256dh: string
  auth: string
}

const contextOf = (id: string) => `push_subscription:${id}`

export const sealSubscription = ({ secrets }: Pick<Ctx, 'secrets'>, id: string, given: SubscriptionSecrets): string =>
  secrets.seal(JSON.stringify(given), contextOf(id))

/** Null: it was sealed with an APP_SECRET that is not configured any more. */
export function openSubscription(
  { secrets }: Pick<Ctx, 'secrets'>,
  { id, sealed }: Pick<PushSubscriptionRow, 'id' | 'sealed'>,
): SubscriptionSecrets | null {
  try {
    return JSON.parse(secrets.openText(sealed, contextOf(id))) as SubscriptionSecrets // sealed by us
  } catch {
    return null
  }
}

export const sealedSubscriptions: SealedKind = {
  name: 'push subscriptions',
  async samples({ db }) {
    const ends = ['asc', 'desc'].map(
      (order) => `(select id, sealed from push_subscriptions order by id ${order} limit 1)`,
    )
    const rows = await db.systemQuery<{ id: string; sealed: string }>(ends.join(' union '))
    return rows.map(({ id, sealed }) => ({ sealed, context: contextOf(id) }))
  },
}
