import { DAYS, firstIdAt, MINUTES, type Schedule } from '#kernel'
import { runSchedule as runNow } from '../../../kernel/jobs/schedules.ts'
import { drainJobs } from '../../../testing/drain-jobs.ts'
import { createTestCore, type TestCore, type TestCoreOptions } from '../../../testing/index.ts'
import { until } from '../../../testing/until.ts'
import { builtinModules } from '../../index.ts'
import { asSuperuser } from '../audit.fixture.ts'
import { audit } from '../index.ts'
import { chainOf, record, sealAll } from '../seals/seal.fixture.ts'
import { dropMonths } from './drop-months.ts'
import { findExpired } from './retention.ts'

/** The audit log with what it takes to register, on the 15th of a month at noon: no test runs over the end of one. */
export async function createRetentionCore(options: Omit<TestCoreOptions, 'modules'> = {}): Promise<TestCore> {
  const test = await createTestCore({
    modules: builtinModules.filter(({ dependsOn }) => !dependsOn.includes(audit)),
    ...options,
    env: { RATE_LIMIT_FACTOR: '0', LOG_LEVEL: 'info', ACCESS_TOKEN_TTL: '1d', ...options.env },
  })
  const now = new Date(test.clock.ms())
  const inMonth = (month: number) => Date.UTC(now.getUTCFullYear(), month, 15, 12)
  const thisMonth = inMonth(now.getUTCMonth())
  test.clock.advance((thisMonth >= now.getTime() ? thisMonth : inMonth(now.getUTCMonth() + 1)) - now.getTime())
  return test
}

/** The first day of the month that was so many months ago. */
export function monthAgo({ clock }: TestCore, months: number): string {
  const now = new Date(clock.ms())
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - months)).toISOString().slice(0, 10)
}

/** How many months ago that was, by the id of a record. */
const MONTHS_SINCE = `(extract(year from $2::timestamptz) - extract(year from at)) * 12 + extract(month from $2::timestamptz) - extract(month from at)`
const TIME_OF_ID = `to_timestamp(('x' || left(replace(id::text, '-', ''), 12))::bit(48)::bigint / 1000.0)`

/** Adds so many records in each of the months; the first is the first that a month can have, the last nearly the last. */
export async function recordInMonths(
  test: TestCore,
  tenantId: string,
  months: readonly number[],
  { count = 5, partitioned = true } = {},
): Promise<void> {
  for (const ago of months) {
    const month = monthAgo(test, ago)
    if (partitioned) await asSuperuser(test, "select tenantry.ensure_partitions('audit_logs', $1::date, 1)", [month])
    await asSuperuser(
      test,
      `insert into audit_logs (tenant_id, id, created_at, action, actor_type, actor_label, resource_type, new_values)
       select $1, overlay(tenantry.uuid_at(at)::text placing lpad(to_hex(n - 1), 12, '0') from 25)::uuid, at, 'toy.made', 'system',
         'system', 'toy', jsonb_build_object('name', 'Toy ' || n)
       from (select n, ($2::date)::timestamp at time zone 'UTC' + (n - 1) * (interval '27 days 23 hours' / $3::int) as at
         from generate_series(1, $3::int) n) as moments`,
      [tenantId, month, count],
    )
  }
}

/** Seals what the tenant has, and moves on until nothing of an earlier month can come to light any more. */
export async function sealMonths(test: TestCore, tenantId: string): Promise<void> {
  const wanted = firstIdAt(Date.parse(monthAgo(test, 2)))
  await sealAll(test, tenantId)
  let rounds = 0
  await until('older months are sealed for certain', async () => {
    // A transaction that is open elsewhere in the server holds sealing up; meanwhile no credential of the test may expire.
    if (rounds++ < 20) test.clock.advance(16 * MINUTES)
    await sealAll(test, tenantId)
    return (await chainOf(test, tenantId)).complete_to >= wanted
  })
}

/** In which months the tenant has records that `recordInMonths` added, and how many: [months ago, records]. */
export async function monthsOf(test: TestCore, tenantId: string): Promise<[number, number][]> {
  const rows = await asSuperuser<{ ago: number; count: number }>(
    test,
    `select (${MONTHS_SINCE})::int as ago, count(*)::int as count
     from (select ${TIME_OF_ID} at time zone 'UTC' as at from audit_logs where tenant_id = $1 and action = 'toy.made') as times
     group by 1 order by 1`,
    [tenantId, test.clock.now()],
  )
  return rows.map(({ ago, count }) => [ago, count])
}

/** How long the tenant keeps its records, set past the front door. */
export async function keepFor(test: TestCore, tenantId: string, days: number): Promise<void> {
  await asSuperuser(
    test,
    `update tenants set settings = settings || jsonb_build_object('audit_retention_days', $2::int) where id = $1`,
    [tenantId, days],
  )
}

export const runSchedule = ({ core }: TestCore, schedule: Schedule): Promise<void> => runNow(core, schedule)

/** What happens by night: records whose time is over are found and removed. */
export async function removeExpiredOf(test: TestCore, ...tenantIds: string[]): Promise<void> {
  await runSchedule(test, findExpired)
  for (const tenantId of tenantIds) await drainJobs(test.core, tenantId)
}

/** Once; what is in use stays. Gives how many months were. */
export async function tryToDropMonths(test: TestCore): Promise<number> {
  const inUse = () => test.logs.filter((line) => line.includes('it is dropped another time')).length
  const before = inUse()
  await runSchedule(test, dropMonths)
  return inUse() - before
}

/** Until nothing was in use: the database may have its own work on a month. */
export const dropExpiredMonths = (test: TestCore): Promise<void> =>
  until('no month is in use', async () => (await tryToDropMonths(test)) === 0)

/** A day goes by. */
export const nextDay = ({ clock }: TestCore): void => clock.advance(DAYS)

/** Months ago of all partitions before this month. */
export async function partitionsOf(test: TestCore): Promise<number[]> {
  const rows = await asSuperuser<{ name: string }>(
    test,
    `select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
     where i.inhparent = 'core.audit_logs'::regclass and c.relname <> 'audit_logs_other' order by 1 desc`,
  )
  const names = rows.map(({ name }) => name)
  return Array.from({ length: 60 }, (_, ago) => ago).filter((ago) =>
    names.includes(`audit_logs_${monthAgo(test, ago).slice(0, 7).replace('-', '')}`),
  )
}

/** What was recorded of removals, oldest first. */
export async function removalsOf(test: TestCore, tenantId: string) {
  return asSuperuser<{ actor_type: string; new_values: Record<string, unknown> }>(
    test,
    "select actor_type, new_values from audit_logs where tenant_id = $1 and action = 'audit.removed' order by id",
    [tenantId],
  )
}

/** Records things on several connections until told to stop; gives how long each took, the shortest first, in ms. */
export function keepRecording(test: TestCore, tenantId: string, writers: number): () => Promise<number[]> {
  let isOver = false
  const times: number[] = []
  const write = async () => {
    while (!isOver) {
      const start = performance.now()
      await record(test, tenantId)
      times.push(performance.now() - start)
    }
  }
  const work = Promise.all(Array.from({ length: writers }, write))
  return async () => {
    isOver = true
    await work
    return times.sort((one, other) => one - other)
  }
}
