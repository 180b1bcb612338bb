import assert from 'node:assert/strict'
import { createPublicKey, verify } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { after, describe, test } from 'node:test'
import { pino } from 'pino'
import { Webhook } from 'standardwebhooks'
import { movableClock, SECONDS } from '../clock.ts'
import { completeProduct } from '../product.ts'
import { createSecretBox } from '../secrets.ts'
import { type DeliveredMessage, deliver } from './deliveries.ts'
import { startHttp, type TestServer } from './outbound.fixture.ts'
import { createOutbound } from './outbound.ts'
import { defineSigningSecrets } from './signing-secrets.ts'

const servers: TestServer[] = []
after(() => Promise.all(servers.map((server) => server.close())))

const logs: string[] = []
const tools = {
  clock: movableClock(),
  secrets: createSecretBox('an-application-secret-0000000000001'),
  outbound: createOutbound({ env: 'test', outboundAllow: ['127.0.0.0/8'] }),
  product: completeProduct({ name: 'Shop' }),
  log: pino({}, { write: (line: string) => logs.push(line) }),
  tenantId: '01926f3c-7b1e-7cc3-98c4-dc0c0c07398f',
}
const kind = defineSigningSecrets('toys', 'toy', 'secrets of toys')

async function furnish(status: number, answerHeaders: Record<string, string> = {}) {
  const received: { headers: IncomingMessage['headers']; method: string | undefined; body: string }[] = []
  const server = await startHttp(async (request, response) => {
    let body = ''
    for await (const part of request) body += part
    received.push({ headers: request.headers, method: request.method, body })
    response.writeHead(status, answerHeaders).end('thanks for all of it')
  })
  servers.push(server)
  const { secret, columns } = kind.create(tools, 'a')
  return { secret, received, receiver: { id: 'a', url: `${server.url}/in?key=hidden`, ...columns } }
}

const MESSAGE: DeliveredMessage = { id: 'msg_1', body: '{"a":1}', contentType: 'application/json' }

describe('a message', () => {
  test('comes by POST, signed, under the name of the product', async () => {
    const { secret, received, receiver } = await furnish(204)
    const outcome = await deliver(tools, kind, receiver, MESSAGE)
    assert.deepEqual([outcome.status, outcome.error, outcome.retryAfterMs], [204, null, null])
    assert.ok(Number.isInteger(outcome.durationMs))
    const [request] = received
    assert.ok(request && received.length === 1)
    assert.deepEqual([request.method, request.body], ['POST', MESSAGE.body])
    assert.deepEqual([request.headers['content-type'], request.headers['user-agent']], ['application/json', 'Shop'])
    new Webhook(secret).verify(request.body, request.headers as Record<string, string>) // none is there twice
  })

  test('brings headers of the receiver’s own, which take the place of none of ours', async () => {
    const { secret, received, receiver } = await furnish(200)
    const headers = { 'X-Own': 'yes', 'Webhook-Id': 'forged', 'WEBHOOK-SIGNATURE': 'v1,forged', 'Content-Type': 'x/y' }
    await deliver(tools, kind, receiver, { ...MESSAGE, headers })
    const { headers: came = {}, body = '' } = received[0] ?? {}
    assert.deepEqual([came['x-own'], came['content-type'], came['webhook-id']], ['yes', 'application/json', 'msg_1'])
    new Webhook(secret).verify(body, came as Record<string, string>) // as above
  })

  test('is taken by any 2xx and nothing else', async () => {
    for (const [status, error] of [
      [200, null],
      [299, null],
      [302, 'The server answered 302'],
      [410, 'The server answered 410'],
      [500, 'The server answered 500'],
    ] as const) {
      const outcome = await deliver(tools, kind, (await furnish(status)).receiver, MESSAGE)
      assert.deepEqual([outcome.status, outcome.error], [status, error])
    }
  })

  test('brings as much of the answer as is asked for, and when to come again', async () => {
    const { receiver } = await furnish(503, { 'retry-after': '120' })
    const { body, retryAfterMs } = await deliver(tools, kind, receiver, { ...MESSAGE, maxAnswerBytes: 6 })
    assert.deepEqual([body?.toString(), retryAfterMs], ['thanks', 120 * SECONDS])
    assert.equal((await deliver(tools, kind, receiver, MESSAGE)).body?.length, 0)
  })

  test('that comes nowhere is an outcome too, and the log names neither address nor query', async () => {
    const { receiver } = await furnish(200)
    await servers.at(-1)?.close()
    const nowhere = { status: null, body: null, durationMs: null, retryAfterMs: null }
    logs.length = 0
    assert.deepEqual(await deliver(tools, kind, receiver, MESSAGE), {
      ...nowhere,
      error: 'The server refuses connections',
    })
    const strict = { ...tools, outbound: createOutbound({ env: 'test', outboundAllow: [] }) }
    assert.deepEqual(await deliver(strict, kind, receiver, MESSAGE), {
      ...nowhere,
      error: 'The host of the URL has no public address',
    })
    const other = { ...tools, secrets: createSecretBox('an-application-secret-0000000000002') }
    assert.deepEqual(await deliver(other, kind, receiver, MESSAGE), {
      ...nowhere,
      error: 'The secret cannot be read any more: rotate it',
    })
    const reasons = logs.map((line) => JSON.parse(line).reason)
    assert.deepEqual(reasons, ['refused', 'refused_address', 'secrets_lost'])
    assert.doesNotMatch(logs.join(''), /127\.0\.0\.1|hidden/)
  })

  test('comes over a session of its receiver in the same way, and over no other', async () => {
    const { secret, received, receiver } = await furnish(200)
    const session = tools.outbound.connect(receiver.url)
    for (let round = 0; round < 3; round++) {
      const outcome = await deliver(tools, kind, receiver, { ...MESSAGE, maxAnswerBytes: 6 }, session)
      assert.deepEqual([outcome.status, outcome.error, outcome.body?.toString()], [200, null, 'thanks'])
    }
    for (const { headers, body } of received) new Webhook(secret).verify(body, headers as Record<string, string>) // as above
    assert.equal(received.length, 3)
    const other = { ...receiver, url: `${receiver.url}&more` }
    await assert.rejects(deliver(tools, kind, other, MESSAGE, session), /another receiver/)
    await session.close()
    await servers.at(-1)?.close()
    const late = tools.outbound.connect(receiver.url)
    const outcome = await deliver(tools, kind, receiver, MESSAGE, late)
    assert.deepEqual([outcome.status, outcome.error], [null, 'The server refuses connections'])
    await late.close()
    assert.equal(received.length, 3)
  })

  test('is signed by a private key for a receiver of that kind', async () => {
    const { received, receiver } = await furnish(200)
    const { publicKey, columns } = kind.create(tools, 'a', 'v1a')
    await deliver(tools, kind, { ...receiver, ...columns }, MESSAGE)
    const [request] = received
    assert.ok(request && publicKey)
    const [id, timestamp, signature] = ['id', 'timestamp', 'signature'].map(
      (name) => request.headers[`webhook-${name}`],
    )
    const text = `${id}.${timestamp}.${request.body}`
    const x = Buffer.from(publicKey.slice('whpk_'.length), 'base64').toString('base64url')
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
    assert.ok(verify(null, Buffer.from(text), key, Buffer.from(String(signature).slice('v1a,'.length), 'base64')))
  })

  test('that is a mistake of ours is no outcome', async () => {
    const { receiver, received } = await furnish(200)
    await assert.rejects(deliver(tools, kind, receiver, { ...MESSAGE, id: 'a.b' }), /id of a message/)
    assert.equal(received.length, 0)
  })
})
