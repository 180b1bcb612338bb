import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import { MINUTES, SECONDS } from '#kernel'
import { startHttps, startRaw, type TestServer } from '../../../kernel/outbound/outbound.fixture.ts'
import { createOutbound, type Outbound } from '../../../kernel/outbound/outbound.ts'
import type { TestCore } from '../../../testing/index.ts'
import {
  createOwner,
  createWebhooksCore,
  type Owner,
  type Receiver,
  type Reply,
  startReceiver,
} from '../webhooks.fixture.ts'

let core: TestCore
let outbound: Outbound
let receiver: Receiver
let owner: Owner
let id: string
before(async () => {
  core = await createWebhooksCore()
  ;({ outbound } = core.core)
})
after(() => core?.close())
beforeEach(async () => {
  receiver = await startReceiver()
  owner = await createOwner(core)
  id = (await owner.addWebhook(receiver.url)).id
})
afterEach(async () => {
  sendBy(outbound)
  await receiver?.close()
})

/** Requests go out by this from now on. */
const sendBy = (other: Outbound) => Object.assign(core.core, { outbound: other })

/** What the first attempt to send an event came to. */
async function attempt(reply: Reply = 200) {
  receiver.answer(() => reply)
  await owner.openStore()
  await owner.drain()
  const delivery = await owner.newest(id)
  assert.equal(delivery.attempts.length, 1)
  const { response_status, response_body, error, duration_ms } = delivery
  assert.deepEqual(delivery.attempts, [
    { at: delivery.attempts[0].at, response_status, response_body, error, duration_ms },
  ])
  assert.ok(Number.isInteger(duration_ms) && duration_ms >= 0, `${duration_ms} ms`)
  return delivery
}

describe('an answer', () => {
  test('of any 2xx takes the event', async () => {
    for (const status of [200, 201, 202, 204, 205, 299]) {
      const made = await attempt(status)
      assert.deepEqual([made.status, made.response_status, made.error], ['delivered', status, null])
      assert.ok(made.delivered_at)
    }
    assert.equal((await owner.look(id)).last_error, null)
  })

  test('of another status does not', async () => {
    for (const status of [300, 304, 400, 401, 403, 404, 409, 418, 422, 500, 501]) {
      const made = await attempt(status)
      const error = `The server answered ${status}`
      assert.deepEqual([made.status, made.response_status, made.error], ['pending', status, error])
      assert.equal((await owner.look(id)).last_error, error)
    }
  })

  test('that leads elsewhere is not followed', async (context) => {
    const elsewhere = await startReceiver()
    context.after(elsewhere.close)
    for (const status of [301, 302, 303, 307, 308]) {
      const made = await attempt({ status, headers: { location: elsewhere.url } })
      assert.deepEqual([made.status, made.error], ['pending', `The server answered ${status}`])
    }
    assert.equal(elsewhere.received.length, 0)
  })

  test('is kept as text, its first 8 KiB', async () => {
    const bodies: [string | Buffer, string][] = [
      ['', ''],
      ['{"ok":true}', '{"ok":true}'],
      ['a\0b', 'a\ufffdb'],
      [Buffer.from([0x61, 0xff, 0xfe, 0xc3, 0x28, 0x62]), 'a\ufffd\ufffd\ufffd(b'],
      [Buffer.from('\ud83d\ude80 ä'), '\ud83d\ude80 ä'],
      ['x'.repeat(8192), 'x'.repeat(8192)],
      [`${'x'.repeat(8192)}y`, 'x'.repeat(8192)],
      ['é'.repeat(100_000), 'é'.repeat(4096)],
      [`x${'é'.repeat(5_000)}`, `x${'é'.repeat(4095)}\ufffd`],
      [Buffer.alloc(20_000), '\ufffd'.repeat(8192)],
      [Buffer.alloc(20_000, 0xff), '\ufffd'.repeat(8192)],
    ]
    for (const [body, kept] of bodies)
      for (const status of [200, 400]) {
        const made = await attempt({ status, body })
        assert.equal(made.response_body, kept)
        assert.equal(made.response_status, status)
      }
  })
})

describe('no answer', () => {
  const opened: TestServer[] = []
  afterEach(() => Promise.all(opened.splice(0).map((server) => server.close())))
  const lead = async (started: Promise<TestServer>, scheme = 'http') => {
    const server = await started
    opened.push(server)
    await owner.send('PUT', `/webhooks/${id}`, { url: `${scheme}://127.0.0.1:${server.port}/` })
    return server
  }

  /** The attempt failed like one that was answered by 500: it is repeated. */
  async function failsWith(error: string): Promise<void> {
    const made = await attempt('hang up')
    assert.deepEqual(
      [made.status, made.response_status, made.response_body, made.error],
      ['pending', null, null, error],
    )
    const waitMs = Date.parse(made.next_attempt_at) - Date.parse(made.attempts[0].at)
    assert.ok(waitMs > 0 && waitMs < 60 * SECONDS, `${waitMs} ms`)
    core.clock.advance(10 * SECONDS)
    await owner.drain()
    assert.equal((await owner.newest(id)).attempts.length, 2)
  }

  test('where nobody listens', async () => {
    await (await lead(startRaw(() => {}))).close()
    await failsWith('The server refuses connections')
  })

  test('from a name that leads nowhere', async () => {
    sendBy(createOutbound(core.core.config, async () => []))
    await owner.send('PUT', `/webhooks/${id}`, { url: 'http://receiver.test/' })
    await failsWith('The host of the URL has no public address')
  })

  test('from a server that does not prove itself', async () => {
    let asked = 0
    await lead(
      startHttps((_request, response) => {
        asked++
        response.end()
      }),
      'https',
    )
    await failsWith('No trusted TLS connection could be made to the server')
    assert.equal(asked, 0)
  })

  test('from one that hangs up, at once or amid the answer', async () => {
    await failsWith('The connection broke before the answer was complete')
    await lead(startRaw((socket) => socket.once('data', () => socket.resetAndDestroy())))
    await failsWith('The connection broke before the answer was complete')
    const half = 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf'
    await lead(startRaw((socket) => socket.once('data', () => socket.write(half, () => socket.destroy()))))
    await failsWith('The connection broke before the answer was complete')
  })

  test('that is HTTP', async () => {
    await lead(startRaw((socket) => socket.once('data', () => socket.end('SSH-2.0-OpenSSH\r\n'))))
    await failsWith('The answer of the server is not HTTP')
  })

  test('within fifteen seconds', async () => {
    await lead(startRaw(() => {}))
    const given: number[] = []
    const hasten = <R extends { timeoutMs: number }>(request: R): R => {
      given.push(request.timeoutMs)
      return { ...request, timeoutMs: 50 }
    }
    sendBy({
      send: (request) => outbound.send(hasten(request)),
      connect: (...where) => {
        const session = outbound.connect(...where)
        return { ...session, send: (request) => session.send(hasten(request)) }
      },
    })
    await failsWith('The server did not answer in time')
    assert.deepEqual(given, [15 * SECONDS, 15 * SECONDS])
  })

  test('from a name that leads inside by now, and no connection goes there', async () => {
    const { port } = new URL(receiver.url)
    await owner.send('PUT', `/webhooks/${id}`, { url: `http://receiver.test:${port}/` })
    for (const addresses of [['127.0.0.1'], ['::ffff:127.0.0.1'], ['169.254.169.254', '10.0.0.1']]) {
      sendBy(createOutbound({ env: 'test', outboundAllow: [] }, async () => addresses))
      await failsWith('The host of the URL has no public address')
      core.clock.advance(10 * MINUTES)
    }
    assert.equal(receiver.received.length, 0)
    sendBy(createOutbound(core.core.config, async () => ['127.0.0.1']))
    assert.equal((await attempt(200)).status, 'delivered', 'the name alone is no reason')
  })
})
