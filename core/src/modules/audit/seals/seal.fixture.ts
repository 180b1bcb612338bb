import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { firstIdAt, MINUTES, SECONDS, timeOfId } from '#kernel'
import { contextOf } from '../../../testing/context.ts'
import type { TestCore } from '../../../testing/index.ts'
import { type Person, register } from '../../auth/auth.fixture.ts'
import { asSuperuser } from '../audit.fixture.ts'
import { auditExported } from '../events.ts'
import type { BlockRow, ChainRow } from '../table.ts'
import { unpackEntries } from './chain.ts'
import { sealTenant } from './seal.ts'

/** Records that something was exported, so many times, each in a transaction of its own. */
export async function record(test: TestCore, tenantId: string, count = 1): Promise<void> {
  for (let n = 0; n < count; n++)
    await test.core.run(
      (ctx) => ctx.emit(auditExported, { storeId: null, after: { format: 'csv', filters: { q: `search ${n}` } } }),
      { tenantId },
    )
}

/** Adds so many records at once, a second apart, the last just now or as many seconds ago. */
export const recordMany = (test: TestCore, tenantId: string, count: number, age = 0) =>
  asSuperuser(
    test,
    `insert into audit_logs (tenant_id, id, created_at, action, actor_type, actor_label, resource_type, new_values)
     select $1, overlay(tenantry.uuid_at(at)::text placing lpad(to_hex(n), 12, '0') from 25)::uuid, at, 'toy.made', 'system',
       'system', 'toy', jsonb_build_object('name', 'Toy ' || n, 'tags', jsonb_build_array('ä', n, null))
     from (select n, date_trunc('milliseconds', now()) - ($2::int - n + $3::int) * interval '1 second' as at from generate_series(1, $2::int) n) as moments`,
    [tenantId, count, age],
  )

/** Somebody whose tenant recorded so many things, the last a minute ago, and nothing else. */
export async function foundWithRecords(test: TestCore, count: number): Promise<Person> {
  const person = await register(test)
  await asSuperuser(test, 'delete from audit_logs where tenant_id = $1', [person.tenantId])
  await recordMany(test, person.tenantId, count, 60)
  return person
}

/** Seals what the tenant has recorded so far. */
export async function sealAll(test: TestCore, tenantId: string): Promise<number> {
  // Ahead of the ids, whose time is the machine's; no more than that, or tokens would expire.
  test.clock.advance(Math.max(0, Date.now() + 10 * SECONDS - test.clock.ms()))
  for (let sealed = 0; ; ) {
    const run = await sealTenant(contextOf(test.core, tenantId))
    sealed += run.sealed
    if (run.isDone) return sealed
  }
}

/**
 * Seals, and declares that no record from before can come to light any more. Waiting for it would be waiting for every
 * transaction on the server, those of other tests included.
 */
export async function sealAndComplete(test: TestCore, tenantId: string): Promise<void> {
  await sealAll(test, tenantId)
  const { sealed_to } = await chainOf(test, tenantId)
  const complete = firstIdAt(timeOfId(sealed_to) + 1)
  await asSuperuser(test, 'update audit_chains set complete_to = $2 where tenant_id = $1', [tenantId, complete])
}

/** Seals as time goes by, until it has found out by itself that no record from before can come to light any more. */
export async function waitUntilComplete(test: TestCore, tenantId: string): Promise<void> {
  await sealAll(test, tenantId)
  const { sealed_to } = await chainOf(test, tenantId)
  for (const deadline = Date.now() + 120_000; Date.now() < deadline; await sleep(100)) {
    test.clock.advance(16 * MINUTES)
    await sealAll(test, tenantId)
    if ((await chainOf(test, tenantId)).complete_to > sealed_to) return
  }
  throw new Error('The chain does not come to be complete: is a transaction held open?')
}

export async function chainOf(test: TestCore, tenantId: string): Promise<ChainRow> {
  const [chain] = await asSuperuser<ChainRow>(test, 'select * from audit_chains where tenant_id = $1', [tenantId])
  if (!chain) throw new Error('The tenant has no chain')
  return chain
}

export async function blocksOf(test: TestCore, tenantId: string): Promise<BlockRow[]> {
  return asSuperuser<BlockRow>(test, 'select * from audit_blocks where tenant_id = $1 order by height', [tenantId])
}

/** Ids of the sealed records in their order. */
export async function sealedIds(test: TestCore, tenantId: string): Promise<string[]> {
  return (await blocksOf(test, tenantId)).flatMap(({ entries }) => unpackEntries(entries).map(({ id }) => id))
}

export async function recordIds(test: TestCore, tenantId: string): Promise<string[]> {
  const sql = 'select id from audit_logs where tenant_id = $1 order by id'
  return (await asSuperuser<{ id: string }>(test, sql, [tenantId])).map(({ id }) => id)
}

/** Begins a transaction that records something, with an id of half a minute ago, and holds it open until one of its ends. */
export async function recordSlowly(test: TestCore, tenantId: string) {
  const client = new pg.Client({ connectionString: test.database.superuserUrl, options: '-c search_path=core,public' })
  await client.connect()
  await client.query('begin')
  const id = firstIdAt(Date.now() - 30 * SECONDS)
  await client.query(
    `insert into audit_logs (tenant_id, id, created_at, action, actor_type, actor_label, resource_type)
     values ($1, $2, now(), 'toy.made', 'system', 'system', 'toy')`,
    [tenantId, id],
  )
  return { id, commit: () => client.query('commit'), end: () => client.end() }
}
