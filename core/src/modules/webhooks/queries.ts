import { type Insertable, notFound, preparedList, type Tx, type Updateable } from '#kernel'
import type { WebhookRow, WebhookTable } from './table.ts'

/** The key of a webhook. */
export type WebhookKey = Pick<WebhookRow, 'tenant_id' | 'id'>
export type WebhookChange = Omit<Updateable<WebhookTable>, keyof WebhookKey>

const selectWebhooks = (tx: Tx, tenantId: string) =>
  tx.selectFrom('webhooks').selectAll().where('tenant_id', '=', tenantId)

/** For `page`. */
export const listWebhooks = preparedList((tx, tenantId, _filter: object) => selectWebhooks(tx, tenantId))

/** Undefined when the tenant has no such webhook. */
export const findWebhook = (tx: Tx, tenantId: string, id: string): Promise<WebhookRow | undefined> =>
  selectWebhooks(tx, tenantId).where('id', '=', id).executeTakeFirst()

/** Throws 404 when the tenant has no such webhook. */
export const getWebhook = (tx: Tx, tenantId: string, id: string): Promise<WebhookRow> =>
  selectWebhooks(tx, tenantId)
    .where('id', '=', id)
    .executeTakeFirstOrThrow(() => notFound())

/** Locks the row until the transaction ends. Throws 404. */
export const lockWebhook = (tx: Tx, tenantId: string, id: string): Promise<WebhookRow> =>
  selectWebhooks(tx, tenantId)
    .where('id', '=', id)
    .forNoKeyUpdate()
    .executeTakeFirstOrThrow(() => notFound())

/** The same; undefined when there is no such webhook. */
export const lockWebhookIfThere = (tx: Tx, tenantId: string, id: string): Promise<WebhookRow | undefined> =>
  selectWebhooks(tx, tenantId).where('id', '=', id).forNoKeyUpdate().executeTakeFirst()

export const insertWebhook = (tx: Tx, webhook: Insertable<WebhookTable>): Promise<WebhookRow> =>
  tx.insertInto('webhooks').values(webhook).returningAll().executeTakeFirstOrThrow()

export const updateWebhook = (tx: Tx, { tenant_id, id }: WebhookKey, change: WebhookChange): Promise<WebhookRow> =>
  tx
    .updateTable('webhooks')
    .set(change)
    .where('tenant_id', '=', tenant_id)
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow()

/** Throws 404. */
export const deleteWebhook = (tx: Tx, tenantId: string, id: string): Promise<WebhookRow> =>
  tx
    .deleteFrom('webhooks')
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow(() => notFound())

/** How many the tenant has, on and off. */
export async function countWebhooks(tx: Tx, tenantId: string): Promise<number> {
  const { count } = await tx
    .selectFrom('webhooks')
    .select((select) => select.fn.countAll<number>().as('count'))
    .where('tenant_id', '=', tenantId)
    .executeTakeFirstOrThrow()
  return Number(count)
}
