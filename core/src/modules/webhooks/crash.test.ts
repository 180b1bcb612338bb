import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { after, before, test } from 'node:test'
import { MINUTES } from '#kernel'
import type { TestCore } from '../../testing/index.ts'
import { SEED } from '../../testing/seed.ts'
import { until } from '../../testing/until.ts'
import { BATCH_WHILE_SMOOTH } from './deliveries/pace.ts'
import { countWork, eventIds } from './load.fixture.ts'
import { createOwner, createWebhooksCore, type Owner, type Receiver, startReceiver } from './webhooks.fixture.ts'

const EVENTS = 500
const CLIENTS = 8
/** Every killed sender keeps its lease so long. */
const LEASE_MS = 2 * MINUTES

let core: TestCore
let receiver: Receiver
const children: ChildProcess[] = []
before(async () => {
  core = await createWebhooksCore()
  receiver = await startReceiver()
})
after(async () => {
  for (const child of children) child.kill('SIGKILL')
  await receiver?.close()
  await core?.close()
})

async function start(task: 'serve' | 'work', aheadMs = 0): Promise<{ child: ChildProcess; port: number }> {
  const { drop: _, ...urls } = core.database
  const child = fork(new URL('./process.fixture.ts', import.meta.url), [task, JSON.stringify(urls), String(aheadMs)])
  children.push(child)
  const [{ port }] = (await once(child, 'message')) as [{ port: number }]
  return { child, port }
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL')
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
}

let state = SEED
/** A number of this run from 0 to below `limit`. */
const random = (limit: number) => {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
  return Math.floor((state / 2 ** 32) * limit)
}

/** Opens stores by several clients at once until the server is gone. */
async function openStores({ port }: { port: number }, token: string, confirmed: Set<string>): Promise<void> {
  const work = async () => {
    for (;;) {
      const answer = await fetch(`http://127.0.0.1:${port}/api/v1/stores`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ name: `Store ${random(2 ** 30)} ${confirmed.size}` }),
      })
      const body = (await answer.json()) as { id: string }
      assert.equal(answer.status, 201, JSON.stringify(body))
      confirmed.add(body.id)
    }
  }
  await Promise.allSettled(Array.from({ length: CLIENTS }, work))
}

/** Ends a server while it is asked for more. */
async function serveUntilKilled(token: string, confirmed: Set<string>, enough: number): Promise<void> {
  const server = await start('serve')
  const asked = openStores(server, token, confirmed)
  await until('some are confirmed', () => confirmed.size >= enough)
  await kill(server.child)
  await asked
}

/** Ends a sender when the receiver has got so many more, some of which it has not confirmed. */
async function sendUntilKilled(aheadMs: number, more: number): Promise<void> {
  const enough = receiver.received.length + more
  const died = Promise.withResolvers<void>()
  const { child } = await start('work', aheadMs)
  receiver.answer(() => {
    if (receiver.received.length < enough) return 200
    child.kill('SIGKILL')
    died.resolve()
    return 'hang up'
  })
  // What it was to get may have come before it was listened for.
  await Promise.race([died.promise, once(child, 'exit')])
  await kill(child)
  receiver.answer(() => 200)
}

test('every event of which the change was confirmed arrives, whoever is killed', async () => {
  const owner = await createBusiness()
  await owner.addWebhook(receiver.url, { events: ['store.*'] })
  const token = await owner.token()
  const earlier = new Set(await eventIds(core, owner))
  const confirmed = new Set<string>()
  const third = Math.floor(EVENTS / 3)

  await Promise.all([
    serveUntilKilled(token, confirmed, third + random(20)),
    sendUntilKilled(0, 20 + random(third / 2)),
  ])
  // While it may still be alive nobody takes over.
  const before = receiver.received.length
  await owner.drain()
  assert.equal(receiver.received.length, before)

  await Promise.all([
    serveUntilKilled(token, confirmed, 2 * third + random(20)),
    sendUntilKilled(LEASE_MS, third / 2 + random(third / 2)),
  ])
  await Promise.all(
    Array.from({ length: CLIENTS }, async () => {
      while (confirmed.size < EVENTS) confirmed.add((await owner.openStore()).id)
    }),
  )

  core.clock.advance(2 * LEASE_MS)
  await until('all is sent', async () => {
    await owner.drain()
    core.clock.advance(1 * MINUTES)
    return (await countWork(core, owner)).unsent === 0
  })
  const { strange, without } = await countWork(core, owner)
  assert.deepEqual({ strange, without }, { strange: 0, without: earlier.size }, 'as many events as deliveries')
  const happened = (await eventIds(core, owner)).filter((id) => !earlier.has(id))
  const came = new Set(receiver.received.map(({ id }) => id))
  assert.deepEqual([...came].sort(), happened.toSorted(), 'what happened, and nothing that was undone')
  const stores = new Set(receiver.received.map(({ body }) => (JSON.parse(body) as { data: { id: string } }).data.id))
  assert.deepEqual(
    [...confirmed].filter((id) => !stores.has(id)),
    [],
    'every confirmed change',
  )
  assert.ok(confirmed.size >= EVENTS)
  const twice = receiver.received.length - came.size
  assert.ok(twice <= 2 * 2 * BATCH_WHILE_SMOOTH, `only what was under way comes again: ${twice}`)
})

/** Whoever opens so many stores needs a plan for it. */
async function createBusiness(): Promise<Owner> {
  const owner = await createOwner(core)
  await core.core.db.systemQuery('update plans set limits = limits || \'{"stores": null}\'')
  return owner
}
