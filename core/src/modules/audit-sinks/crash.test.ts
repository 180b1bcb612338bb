import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { MINUTES } from '#kernel'
import type { TestCore } from '../../testing/index.ts'
import { SEED } from '../../testing/seed.ts'
import { until } from '../../testing/until.ts'
import {
  createOwner,
  createSinksCore,
  firstArrivals,
  isSignedBy,
  type Receiver,
  type Reply,
  recordMany,
  sealAll,
  sealedIds,
  sendDue,
  startReceiver,
} from './audit-sinks.fixture.ts'

const RECORDS = 5000
const BATCHES_BEFORE_DEATH = 4

let core: TestCore
let receiver: Receiver
let child: ChildProcess | undefined
before(async () => {
  core = await createSinksCore()
  receiver = await startReceiver()
})
after(async () => {
  child?.kill('SIGKILL')
  await receiver?.close()
  await core?.close()
})

function startWorker(): ChildProcess {
  const script = fileURLToPath(new URL('./send-worker.fixture.ts', import.meta.url))
  const { drop: _, ...urls } = core.database
  const ahead = String(core.clock.ms() - Date.now())
  return spawn(process.execPath, [script, JSON.stringify(urls), ahead], { stdio: ['ignore', 'inherit', 'inherit'] })
}

/** Takes two of three requests; the third it answers with an error, or not at all. */
function moody(): () => Reply {
  let state = SEED
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    const number = Math.floor(state / 2 ** 16) % 6
    return number === 0 ? 'hang up' : number === 1 ? 503 : 200
  }
}

test('every record arrives, in order, however receiver and sender fail', async () => {
  const owner = await createOwner(core)
  await recordMany(core, owner.tenantId, RECORDS)
  await sealAll(core, owner.tenantId)
  const { id, secret } = await owner.addSink(receiver.url)
  const look = () => owner.send('GET', `/audit/sinks/${id}`)

  // The process dies after the receiver has taken a batch and before it knows.
  const died = Promise.withResolvers<void>()
  receiver.answer(() => {
    if (receiver.received.length < BATCHES_BEFORE_DEATH) return 200
    child?.kill('SIGKILL')
    died.resolve()
    return 'hang up'
  })
  child = startWorker()
  await died.promise
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  const [last] = receiver.received.slice(-1)

  // While it may still be alive nobody takes over.
  receiver.answer(() => 200)
  await sendDue(core, owner.tenantId)
  assert.equal(receiver.received.length, BATCHES_BEFORE_DEATH)

  receiver.answer(moody())
  await until(
    'all is sent',
    async () => {
      core.clock.advance(2 * MINUTES)
      await sendDue(core, owner.tenantId)
      return (await look()).backlog === 0
    },
    120_000,
  )
  const again = receiver.received.filter((each) => each.id === last?.id)
  assert.ok(again.length >= 2, 'what may not have arrived is sent again')
  assert.equal(new Set(again.map(({ body }) => body)).size, 1)
  await sealAll(core, owner.tenantId)
  receiver.answer(() => 200)
  await until('the rest is sent', async () => {
    core.clock.advance(2 * MINUTES)
    await sendDue(core, owner.tenantId)
    return (await look()).backlog === 0
  })
  const sealed = await sealedIds(core, owner.tenantId)
  assert.ok(sealed.length > RECORDS)
  assert.deepEqual(firstArrivals(receiver), sealed)
  for (const request of receiver.received) assert.ok(isSignedBy(secret, request), request.id)
})
