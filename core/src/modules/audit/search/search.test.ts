import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import fc from 'fast-check'
import { DAYS, firstIdAt, HOURS, SECONDS } from '#kernel'
import { contextOf } from '../../../testing/context.ts'
import type { TestCore } from '../../../testing/index.ts'
import { SEED } from '../../../testing/seed.ts'
import { type Person, register } from '../../auth/auth.fixture.ts'
import { asSuperuser, createAuditCore } from '../audit.fixture.ts'
import { criteriaOf } from '../filters.ts'
import type { AuditLog, Filters } from '../schema.ts'
import { sealAll } from '../seals/seal.fixture.ts'
import { forgetNames, indexNames } from './name-index.ts'
import { completeAll } from './search.fixture.ts'
import { type Efforts, searchRecords } from './search.ts'
import type { Labelled } from './search-queries.ts'
import { fold, hasWord } from './words.ts'

let core: TestCore
before(async () => {
  core = await createAuditCore()
})
after(() => core.close())

const WORDS = [
  'ada',
  'Ada',
  'Byron',
  'by',
  'ÀDA',
  'İda',
  'Straße',
  'strasse',
  '東京',
  '京',
  'x-ray',
  'x',
  '12',
  '#12',
  'ａｄａ',
]
const QUERIES = [
  ...WORDS,
  'a',
  'b',
  'd',
  's',
  '1',
  '#',
  'ada b',
  'store',
  'up',
  'made',
  'system',
  '京都',
  'nothing',
  '%',
  '.',
]
const name = fc.array(fc.constantFrom(...WORDS), { minLength: 1, maxLength: 3 }).map((words) => words.join(' '))
/** What a record is made of. `back`: how long before the others. */
const entry = fc.record({
  actor: fc.constantFrom(null, 0, 1, 2),
  actorName: name,
  resource: fc.constantFrom(null, 0, 1, 2, 3),
  label: fc.option(name),
  action: fc.constantFrom('store.updated', 'store.created', 'toy.made', 'auth.password_changed'),
  back: fc.nat(700),
})
type Entry = typeof entry extends fc.Arbitrary<infer T> ? T : never

const entryOf = (back: number, label: string): Entry => ({
  actor: 0,
  actorName: 'Ada',
  resource: 0,
  label,
  action: 'toy.made',
  back,
})

const send = (path: string, { token }: Person) => core.request('GET', `/api/v1/audit${path}`, { token })
const idOf = (n: number) => `00000000-0000-7000-8000-00000000000${n}`

/** The ids that page after page of a search brings. */
async function search({ tenantId }: Person, filters: Filters, efforts?: Efforts): Promise<string[]> {
  const ids: string[] = []
  for (const limit = 3; ; ) {
    const reading = { beforeId: ids.at(-1) ?? null, limit }
    const page = await core.core.run((ctx) => searchRecords(ctx, criteriaOf(filters), reading, efforts), {
      tenantId,
      readOnly: true,
    })
    ids.push(...page.map(({ id }) => id))
    if (page.length < limit) return ids
  }
}

/** What is recorded, newest first. */
const recorded = ({ tenantId }: Person) =>
  asSuperuser<Labelled>(
    core,
    'select id, action, actor_label, resource_label from audit_logs where tenant_id = $1 order by id desc',
    [tenantId],
  )

const holds = ({ action, actor_label, resource_label }: Labelled, q: string) =>
  [action, actor_label, resource_label ?? ''].some((label) => hasWord(label, fold(q)))

/** Adds records that were made before `at`, each some of the units. */
async function insert({ tenantId }: Person, entries: readonly Entry[], at: number, unitMs: number): Promise<void> {
  const rows = entries.map(({ actor, actorName, resource, label, action, back }) => ({
    ms: at - back * unitMs,
    action,
    actor_id: actor === null ? null : idOf(actor),
    actor_label: actor === null ? 'system' : actorName,
    resource_id: resource === null ? null : `thing-${resource}`,
    label,
  }))
  await asSuperuser(
    core,
    `insert into audit_logs (tenant_id, id, created_at, action, actor_type, actor_id, actor_label, resource_type, resource_id, resource_label)
     select $1, overlay(tenantry.uuid_at(at)::text placing substr(gen_random_uuid()::text, 20) from 20)::uuid, at, action,
       case when actor_id is null then 'system' else 'user' end, actor_id, actor_label, 'toy', resource_id, label
     from (select *, to_timestamp(ms / 1000.0) as at from jsonb_to_recordset($2::jsonb)
       as r(ms double precision, action text, actor_id uuid, actor_label text, resource_id text, label text)) r`,
    [tenantId, JSON.stringify(rows)],
  )
}

/** Somebody whose tenant has no records. */
async function found(): Promise<Person> {
  const person = await register(core)
  await asSuperuser(core, 'delete from audit_logs where tenant_id = $1', [person.tenantId])
  return person
}

describe('a search', () => {
  test('finds what looking at each record finds, whatever is sealed by then', { timeout: 300_000 }, async () => {
    const [many, few] = [fc.array(entry, { maxLength: 15 }), fc.array(entry, { maxLength: 5 })]
    const some = fc.integer({ min: 1, max: 4 })
    const efforts = fc.record({ near: some, far: some, names: fc.constantFrom(2, 1_000, 1_000), atOnce: some })
    await fc.assert(
      fc.asyncProperty(many, many, few, few, efforts, async (older, newer, sealed, fresh, efforts) => {
        const person = await found()
        const now = Date.now()
        await insert(person, older, now - 60 * DAYS, HOURS)
        await completeAll(core, person.tenantId)
        await insert(person, newer, now - 1 * DAYS, HOURS)
        await completeAll(core, person.tenantId)
        // No record that comes to light now may be older: these are mixed with each other alone.
        await insert(person, sealed, now, 1)
        await sealAll(core, person.tenantId)
        await insert(person, fresh, now, 1)
        const records = await recorded(person)
        assert.equal(records.length, older.length + newer.length + sealed.length + fresh.length)
        for (const q of QUERIES) {
          const expected = records.filter((record) => holds(record, q))
          const ids = expected.map(({ id }) => id)
          assert.deepEqual(await search(person, { q }, efforts), ids, q)
          if (!q.startsWith('a')) continue
          const ofStores = expected.filter(({ action }) => action.startsWith('store.')).map(({ id }) => id)
          assert.deepEqual(await search(person, { q, action: 'store.*' }, efforts), ofStores, q)
        }
      }),
      { numRuns: 20, endOnFailure: true, seed: SEED },
    )
  })

  test('goes on from page to page, like any list', async () => {
    const person = await found()
    const entries = Array.from({ length: 7 }, (_, back) => entryOf(back, back % 2 === 0 ? 'Lion' : 'Bear'))
    await insert(person, entries, Date.now(), HOURS)
    await completeAll(core, person.tenantId)
    const first = (await send('?q=lion&limit=3', person)).body
    const rest = (await send(`?q=lion&limit=3&cursor=${first.next_cursor}`, person)).body
    const labels = [...first.data, ...rest.data].map(({ resource_label }: AuditLog) => resource_label)
    assert.deepEqual([labels, rest.next_cursor], [['Lion', 'Lion', 'Lion', 'Lion'], null])
    const { text } = await send('/export?format=ndjson&q=lion', person)
    assert.equal(text.trimEnd().split('\n').length, 4)
    assert.equal((await send(`?q=bear&cursor=${first.next_cursor}`, person)).status, 400)
  })
})

describe('the dictionary', () => {
  const words = async ({ tenantId }: Person) => {
    const sql = 'select term from audit_terms where tenant_id = $1 order by term collate "C"'
    return (await asSuperuser<{ term: string }>(core, sql, [tenantId])).map(({ term }) => term)
  }
  const KEPT = ['ada', 'made', 'new bear', 'bear', 'toy.made'].sort()
  const GONE = ['old lion', 'lion']

  test('has each word of each name once, however often its records are sealed', async () => {
    const person = await found()
    const entries = [entryOf(2, 'Old Lion'), entryOf(1, 'New Bear'), entryOf(0, 'New Bear')]
    await insert(person, entries, Date.now(), HOURS)
    await sealAll(core, person.tenantId)
    assert.deepEqual(await words(person), [...KEPT, ...GONE].sort())
    const logs = (await send('', person)).body.data
    await core.core.run((ctx) => indexNames(ctx, logs), { tenantId: person.tenantId, role: 'system' })
    assert.deepEqual(await words(person), [...KEPT, ...GONE].sort())
  })

  test('loses the names that only records held which retention has removed', async () => {
    const person = await found()
    await insert(person, [entryOf(2, 'Old Lion'), entryOf(1, 'New Bear')], Date.now(), HOURS)
    await completeAll(core, person.tenantId)
    const { tenantId } = person
    const ctx = contextOf(core.core, tenantId)
    await forgetNames(ctx, firstIdAt(Date.now() - 1.5 * HOURS))
    assert.deepEqual(await words(person), KEPT)
    assert.equal((await search(person, { q: 'bear' })).length, 1)
    await insert(person, [entryOf(0, 'Old Lion')], Date.now() + SECONDS, 1)
    await sealAll(core, tenantId)
    assert.deepEqual(await words(person), [...KEPT, ...GONE].sort())
  })
})
