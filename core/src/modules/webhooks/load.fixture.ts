import type { Core } from '#kernel'
import type { TestCore } from '../../testing/index.ts'
import { type Store, storeCreated } from '../stores/index.ts'
import { asSuperuser, type Owner } from './webhooks.fixture.ts'

/** Lets as many things happen as one transaction can: `store` is said to be opened so often. */
export async function happen(
  { core }: { core: Core },
  { tenantId }: Owner,
  store: Store,
  times: number,
): Promise<void> {
  await core.run(
    async (ctx) => {
      for (let i = 0; i < times; i++) await ctx.emit(storeCreated, { after: store })
    },
    { tenantId },
  )
}

/** What a tenant's deliveries and events came to. */
export async function countWork({ core }: TestCore, { tenantId }: Owner) {
  const [row] = await core.db.systemQuery<{ events: number; unsent: number; strange: number; without: number }>(
    `select (select count(*)::int from events where tenant_id = $1) as events,
       (select count(*)::int from webhook_deliveries where tenant_id = $1 and status <> 'delivered') as unsent,
       (select count(*)::int from webhook_deliveries as d left join events as e on e.tenant_id = d.tenant_id and e.id = d.event_id
         where d.tenant_id = $1 and e.id is null) as strange,
       (select count(*)::int from events as e left join webhook_deliveries as d on d.tenant_id = e.tenant_id and d.event_id = e.id
         where e.tenant_id = $1 and d.id is null) as without`,
    [tenantId],
  )
  return row! // a selection without a table has one row
}

/** Ids of what happened, in order. */
export async function eventIds({ core }: TestCore, { tenantId }: Owner): Promise<string[]> {
  const rows = await core.db.systemQuery<{ id: string }>(
    'select id from events where tenant_id = $1 order by position',
    [tenantId],
  )
  return rows.map(({ id }) => id)
}

/** As many more events like the tenant's last one, a millisecond apart up to `until`, of which nobody was told. */
export async function addEvents(test: TestCore, { tenantId }: Owner, count: number, until: string): Promise<void> {
  await asSuperuser(
    test,
    `insert into events (tenant_id, id, position, type, created_at, store_id, actor_type, actor_id, actor_label, impersonator_id, data)
     select $1, overlay(md5(n::text || $3) placing left(replace(tenantry.uuid_at(at)::text, '-', ''), 13) from 1)::uuid,
       -n, e.type, at, e.store_id, e.actor_type, e.actor_id, e.actor_label, e.impersonator_id, e.data
     from (select * from events where tenant_id = $1 order by position desc limit 1) as e
     cross join (select n, $3::timestamptz - ($2::int - n) * interval '1 millisecond' as at from generate_series(1, $2::int) n) as times`,
    [tenantId, count, until],
  )
}
