import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { fromNow, MINUTES, newId } from '#kernel'
import { createTestCore, type TestCore, type TestPerson, type TestTenant } from '../../testing/index.ts'
import { SEED } from '../../testing/seed.ts'
import { builtinModules } from '../index.ts'
import { tellNext } from './delivery/fan-out.ts'
import { makeAlarms, offerNotice } from './delivery/gateway.fixture.ts'
import type { FanOut } from './delivery/notice.ts'
import { listOf, recount } from './notifications.fixture.ts'
import { removeOld } from './upkeep/remove-old.ts'

let cores: [TestCore, TestCore]
let alarms: Awaited<ReturnType<typeof makeAlarms>>
let tenant: TestTenant
let people: [TestPerson, TestPerson]
before(async () => {
  alarms = await makeAlarms()
  const modules = [...builtinModules, alarms.module]
  const first = await createTestCore({ modules })
  cores = [first, await createTestCore({ modules, database: first.database })]
  tenant = await first.foundTenant({ plan: 'business' })
  people = [tenant.owner, await tenant.member({ role: 'admin' })]
  await first.drainJobs(tenant.id)
})
after(async () => {
  await cores?.[1].close()
  await cores?.[0].close()
  await alarms?.remove()
})

/** What happens to a list; those of a step happen at once, from two processes. */
type Act =
  | { act: 'tell'; name: string; minutes: number; again: boolean }
  | { act: 'read' | 'archive' | 'delete'; who: 0 | 1; at: number }
  | { act: 'readAll'; who: 0 | 1 }
  | { act: 'sweep' }

const who = fc.constantFrom<0 | 1>(0, 1)
const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      act: fc.constant('tell' as const),
      name: fc.constantFrom('one', 'two', 'three'),
      minutes: fc.integer({ min: 1, max: 30 }),
      again: fc.boolean(),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      act: fc.constantFrom('read' as const, 'archive' as const, 'delete' as const),
      who,
      at: fc.nat(5),
    }),
  },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('readAll' as const), who }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constant('sweep' as const) }) },
)
const step = fc.record({
  acts: fc.array(act, { minLength: 2, maxLength: 6 }),
  minutes: fc.integer({ min: 0, max: 12 }),
})

/** The key of the last one that was told, which is told again. */
let lastKey = newId()

function noticeOf(core: TestCore, { name, minutes, again }: Extract<Act, { act: 'tell' }>): FanOut {
  if (!again) lastKey = newId()
  const data = { name, until: fromNow(core.clock, minutes * MINUTES) }
  const nothing = { type: null, store_id: null, actor_id: null, to: null, after: null }
  return { kind: offerNotice.kind, key: lastKey, at: core.clock.now(), data, ...nothing }
}

async function perform(core: TestCore, each: Act, lists: readonly { id: string }[][]): Promise<void> {
  const inTenant = { tenantId: tenant.id }
  if (each.act === 'tell') {
    const notice = noticeOf(core, each)
    await core.core
      .run((ctx) => tellNext(ctx, offerNotice as never, notice), inTenant)
      .catch((error) => {
        // Two processes told the same at once: the later one finds it there and is tried again, as its job would be.
        if ((error as { code?: string }).code !== '23505') throw error
      })
  } else if (each.act === 'sweep')
    await core.core.run((ctx) => removeOld(ctx, { expiredAt: core.clock.now() }, 3), inTenant)
  else {
    const token = await people[each.who].token()
    const send = (method: 'PUT' | 'POST' | 'DELETE', path: string) =>
      core.request(method, `/api/v1/notifications${path}`, { token, ...(method === 'DELETE' ? {} : { body: {} }) })
    if (each.act === 'readAll') await send('PUT', '/read-all')
    else {
      const id = lists[each.who]?.[each.at]?.id ?? newId()
      if (each.act === 'read') await send('PUT', `/${id}/read`)
      else if (each.act === 'archive') await send('POST', `/${id}/archive`)
      else await send('DELETE', `/${id}`)
    }
  }
}

test('the badge says what a recount finds, whatever meets at once', { timeout: 300_000 }, async () => {
  const [first, second] = cores
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 8 }), async (steps) => {
      for (const { acts, minutes } of steps) {
        const lists = await Promise.all(people.map((person) => listOf(person)))
        await Promise.all(acts.map((each, index) => perform(index % 2 ? second : first, each, lists)))
        for (const core of cores) core.clock.advance(minutes * MINUTES)
        for (const [index, person] of people.entries()) {
          const { unread_count } = (await person.get('/notifications/unread-count')).body
          assert.equal(unread_count, await recount(first, tenant.id, person.userId), `person ${index}`)
          assert.equal(unread_count, (await listOf(person, '&unread=true')).length, `person ${index}, by the list`)
        }
      }
      await first.drainJobs(tenant.id)
    }),
    { seed: SEED, numRuns: 6 },
  )
})

test('one thing that twenty processes tell at once is told once', async () => {
  const [first, second] = cores
  const key = newId()
  const notice = noticeOf(first, { act: 'tell', name: newId(), minutes: 20, again: false })
  const results = await Promise.allSettled(
    Array.from({ length: 20 }, (_, index) =>
      (index % 2 ? second : first).core.run((ctx) => tellNext(ctx, offerNotice as never, { ...notice, key }), {
        tenantId: tenant.id,
      }),
    ),
  )
  assert.ok(results.some(({ status }) => status === 'fulfilled'))
  const [row] = await first.core.db.systemQuery<{ n: number }>(
    "select count(*)::int as n from notifications where tenant_id = $1 and user_id = $2 and data ->> 'name' = $3",
    [tenant.id, people[0].userId, String(notice.data.name)],
  )
  assert.equal(row?.n, 1)
})
