import { sql, type Tx } from '#kernel'
import type { WebhookKey } from '../queries.ts'

interface Page {
  after: string | null
  limit: number
}
type TenantOnly = Pick<WebhookKey, 'tenant_id'>

const selectToTry = (tx: Tx, now: string) =>
  tx
    .selectFrom('webhooks as w')
    .innerJoin('tenants as t', 't.id', 'w.tenant_id')
    .where('w.trial_at', '<=', now)
    .where('t.status', '<>', sql.lit('deleted'))

/** Across tenants, by id: those with a webhook whose receiver is to be tried. */
export function listTenantsToTry(tx: Tx, { now, after, limit }: Page & { now: string }): Promise<TenantOnly[]> {
  const query = selectToTry(tx, now).select('w.tenant_id').distinct().orderBy('w.tenant_id').limit(limit)
  return (after === null ? query : query.where('w.tenant_id', '>', after)).execute()
}

export const listToTry = (tx: Tx, tenantId: string, now: string): Promise<Pick<WebhookKey, 'id'>[]> =>
  selectToTry(tx, now)
    .select('w.id')
    .where('w.tenant_id', '=', tenantId)
    .where('t.id', '=', tenantId)
    .orderBy('w.id')
    .execute()

/** A webhook that waits for nothing but to be sent to; `due`: since when at least. */
interface Behind {
  due: string
  now: string
}

const selectBehind = (tx: Tx, { due, now }: Behind) =>
  tx
    .selectFrom('webhooks as w')
    .innerJoin('tenants as t', 't.id', 'w.tenant_id')
    .where('t.status', '<>', sql.lit('deleted'))
    .where((where) => where.or([where('w.next_attempt_at', 'is', null), where('w.next_attempt_at', '<=', now)]))
    .where((where) => where.or([where('w.locked_until', 'is', null), where('w.locked_until', '<=', now)]))
    .where(sql<boolean>`exists (select from webhook_deliveries as d where d.tenant_id = w.tenant_id and d.webhook_id = w.id
      and d.status = 'pending' and d.next_attempt_at <= ${due} and (w.is_active or d.event_id is null))`)

/** Across tenants, by id: those with something that has been due for long. */
export function listTenantsBehind(tx: Tx, { after, limit, ...behind }: Page & Behind): Promise<TenantOnly[]> {
  const query = selectBehind(tx, behind).select('w.tenant_id').distinct().orderBy('w.tenant_id').limit(limit)
  return (after === null ? query : query.where('w.tenant_id', '>', after)).execute()
}

export const listBehind = (tx: Tx, tenantId: string, behind: Behind): Promise<Pick<WebhookKey, 'id'>[]> =>
  selectBehind(tx, behind)
    .select('w.id')
    .where('w.tenant_id', '=', tenantId)
    .where('t.id', '=', tenantId)
    .orderBy('w.id')
    .execute()
