import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { createTestCore, type TestCore } from '../../testing/index.ts'
import { until } from '../../testing/until.ts'
import { builtinModules } from '../index.ts'
import { type Racer, racers, type Said, startRacer } from './racer.fixture.ts'

const EVENTS = 10_000
const RACERS = 4

interface Seen {
  id: string
  data: Said
}

/** Pulls over real connections until it is told that all have ended, and then to the end. */
async function follow(t: TestCore, token: string, { wait, isOver }: { wait: number; isOver: () => boolean }) {
  const { port } = t.app.server.address() as AddressInfo // it listens
  const seen: Seen[] = []
  let after: string | undefined
  let requests = 0
  for (;;) {
    const wasOver = isOver()
    const query = new URLSearchParams({
      types: 'racer.passed',
      limit: '100',
      wait: String(wait),
      ...(after && { after }),
    })
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1/events?${query}`, {
      headers: { authorization: `Bearer ${token}` },
    })
    const text = await answer.text()
    assert.equal(answer.status, 200, text)
    const { data, next_cursor } = JSON.parse(text) as { data: Seen[]; next_cursor: string } // as the document says
    requests++
    seen.push(...data)
    if (wasOver && next_cursor === after) return { seen, requests }
    after = next_cursor
  }
}

/** Nobody has an event of a transaction that began after another's end was known before that one's. */
function assertOrderOfCommits(seen: readonly Seen[], racer: number, { acknowledged }: Racer): void {
  const own = seen.flatMap(({ data }, place) => (data.racer === racer ? [{ ...data, place }] : []))
  const lastOf = new Map(own.map(({ transaction, place }) => [transaction, place]))
  let furthest = -1
  const furthestOf = acknowledged.map(({ transaction }) => {
    furthest = Math.max(furthest, lastOf.get(transaction) ?? Number.POSITIVE_INFINITY)
    return furthest
  })
  for (const { acknowledged: known, place } of own)
    assert.ok(known === 0 || place > (furthestOf[known - 1] ?? -1), `racer ${racer}, place ${place}`)
  for (const events of Map.groupBy(own, ({ transaction }) => transaction).values())
    for (const [index, { event, place }] of events.entries())
      assert.deepEqual([event, place], [index + 1, (events[0]?.place ?? 0) + index], 'a transaction stands together')
}

test('whoever follows gets each of 10,000 events of racing and killed processes once and in order', async (context) => {
  const t = await createTestCore({ modules: [...builtinModules, racers] })
  context.after(() => t.close())
  await t.app.listen({ port: 0, host: '127.0.0.1' })
  const { id: tenantId, owner } = await t.foundTenant()
  const token = await owner.token()
  const running = Array.from({ length: RACERS }, (_, racer) => startRacer(t.database, racer, tenantId))
  context.after(() => running.forEach(({ child }) => void child.kill('SIGKILL')))
  let isOver = false
  const followers = [0, 1].map((wait) => follow(t, token, { wait, isOver: () => isOver }))
  const published = () =>
    running.flatMap(({ acknowledged }) => acknowledged).reduce((sum, { events }) => sum + events, 0)

  // Two end without warning, somewhere on the way.
  const points = [0.1 + Math.random() * 0.3, 0.4 + Math.random() * 0.3].map((part) => Math.round(part * EVENTS))
  for (const [racer, point] of points.entries()) {
    await until(`${point} events`, () => published() >= point)
    running[racer]?.child.kill('SIGKILL')
  }
  await until(`${EVENTS} events`, () => published() >= EVENTS)
  await Promise.all(running.map(({ stop }) => stop()))
  isOver = true

  const committed = await t.core.db.systemQuery<Seen & { position: number }>(
    "select id, position, data from events where tenant_id = $1 and type = 'racer.passed' order by position",
    [tenantId],
  )
  const acknowledged = running.flatMap(({ acknowledged }, racer) => acknowledged.map((each) => ({ racer, ...each })))
  assert.ok(acknowledged.length >= 2_000, `${acknowledged.length} transactions`)
  const pulled = new Set(committed.map(({ data: { racer, transaction, event } }) => `${racer} ${transaction} ${event}`))
  for (const { racer, transaction, events } of acknowledged)
    for (let event = 1; event <= events; event++)
      assert.ok(pulled.has(`${racer} ${transaction} ${event}`), `lost: ${racer} ${transaction} ${event}`)
  assert.equal(pulled.size, committed.length)
  for (const { seen, requests } of await Promise.all(followers)) {
    assert.equal(new Set(seen.map(({ id }) => id)).size, seen.length, 'none comes twice')
    assert.deepEqual(
      seen.map(({ id }) => id),
      committed.map(({ id }) => id),
      'all that is committed comes, in its order',
    )
    for (const [racer, each] of running.entries()) assertOrderOfCommits(seen, racer, each)
    context.diagnostic(`${seen.length} events by ${requests} requests; killed at ${points.join(' and ')}`)
  }
})
