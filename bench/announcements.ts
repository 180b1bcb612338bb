// An announcement to many: how long it takes, what memory it needs, and how long another tenant's notification waits meanwhile.
// node bench/announcements.ts [--tenants 20000] [--people 5]: 20,000 tenants of 5, say, or 1 of 20,000
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import pg from 'pg'
import { newId } from 'tenantry'
import { createTestCore } from 'tenantry/testing'
import { announce, announcementNotice } from '../core/src/modules/notifications/index.ts'

const { values: options } = parseArgs({
  options: { tenants: { type: 'string', default: '20000' }, people: { type: 'string', default: '5' } },
})
const tenants = Number(options.tenants)
const people = Number(options.people)
const STEP_MS = 200

const test = await createTestCore({ env: { LOG_LEVEL: 'fatal' } })
const { core } = test
try {
  const other = await test.foundTenant()
  await seed()
  await core.startWorker()
  await sleep(2_000)
  const before = memory()
  const waits: number[] = []
  let most = before
  const begun = performance.now()
  const { id } = await core.run((ctx) => announce(ctx, { title: 'News', message: 'There are some.', type: 'info' }), {
    role: 'system',
    tenantId: null,
  })
  process.stdout.write(`accepted after ${Math.round(performance.now() - begun)} ms\n`)
  for (let told = 0; told < tenants * people; ) {
    waits.push(await waitOfAnother(other.id))
    most = Math.max(most, memory())
    told = await count(
      `select count(*)::int as n from notifications where kind = 'announcement' and data->>'title' = 'News'`,
    )
    await sleep(STEP_MS)
  }
  const seconds = (performance.now() - begun) / 1_000
  waits.sort((a, b) => a - b)
  const at = (share: number) => Math.round(waits[Math.floor((waits.length - 1) * share)] ?? 0)
  process.stdout.write(
    `${tenants * people} people in ${tenants} tenants told in ${seconds.toFixed(1)} s; memory ${before} MB before, ${most} MB at most\n` +
      `another tenant's notification waited ${at(0.5)} ms (median), ${at(0.95)} ms (95 %), ${at(1)} ms at most\n`,
  )
  await core.run(
    ({ tx }) => tx.updateTable('announcements').set({ finished_at: core.clock.now() }).where('id', '=', id).execute(),
    {
      role: 'system',
      tenantId: null,
    },
  )
} finally {
  await test.close()
}

/** How long somebody else's notification takes from the commit until it is in the list. */
async function waitOfAnother(tenantId: string): Promise<number> {
  const title = newId()
  const begun = performance.now()
  await core.run((ctx) => ctx.notify(announcementNotice, { data: { title, message: 'Theirs.' } }), { tenantId })
  const mine = `select count(*)::int as n from notifications where tenant_id = '${tenantId}' and data->>'title' = '${title}'`
  while ((await count(mine)) === 0) await sleep(20)
  return performance.now() - begun
}

async function count(query: string): Promise<number> {
  return (await core.db.systemQuery<{ n: number }>(query))[0]?.n ?? 0
}

function memory(): number {
  return Math.round(process.memoryUsage().rss / 1024 / 1024)
}

/** Tenants with people, made at once. */
async function seed(): Promise<void> {
  const owner = new pg.Client({ connectionString: test.database.superuserUrl })
  await owner.connect()
  await owner.query('set search_path = core, public')
  const made = `
    create temp table t as select overlay(gen_random_uuid()::text placing '01900000-0000-7' from 1 for 15)::uuid as id, n
      from generate_series(1, ${tenants}) n;
    create temp table p as select t.id as tenant_id, gen_random_uuid() as id, t.n || '-' || k as name from t, generate_series(1, ${people}) k;
    insert into users (id, created_at, updated_at, email, email_normalized, name, locale, timezone, two_factor_enabled, is_super_admin, status)
      select id, now(), now(), name || '@example.com', name || '@example.com', name, 'en', 'UTC', false, false, 'active' from p;
    insert into tenants (id, name, slug, owner_id, created_at, updated_at)
      select id, 'Tenant ' || n, 'tenant-' || n, (select p.id from p where p.tenant_id = t.id limit 1), now() - interval '1 day', now() from t;
    insert into members (tenant_id, id, created_at, updated_at, name, status, joined_at)
      select tenant_id, id, now(), now(), name, 'active', now() from p;
    analyze`
  await owner.query(made)
  await owner.end()
}
