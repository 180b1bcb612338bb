import type { Selectable, TenantRow } from '#kernel'

/** A browser that messages are pushed to. */
export interface PushSubscriptionTable extends TenantRow {
  user_id: string
  /** The session that it was made in, which it ends with. */
  session_id: string
  endpoint_hash: Buffer
  /** The host of its push service. */
  service: string
  /** Address and keys. */
  sealed: string
}

export type PushSubscriptionRow = Selectable<PushSubscriptionTable>

declare module '#kernel' {
  interface Tables {
    push_subscriptions: PushSubscriptionTable
  }
}
