import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { reasonOf, startHttp, startHttps, startRaw, type TestServer, trusting } from './outbound.fixture.ts'
import { createOutbound, type OutboundRequest } from './outbound.ts'
import type { Resolve } from './resolve.ts'

const servers: TestServer[] = []
after(() => Promise.all(servers.map((server) => server.close())))
async function opened(server: Promise<TestServer>): Promise<TestServer> {
  servers.push(await server)
  return server
}

const toLoopback = { env: 'test', outboundAllow: ['127.0.0.0/8'] } as const // the word is the type
const PATIENCE_MS = 60_000

/** Sends, with what most tests do not care about. */
const send = (url: string, more: Partial<OutboundRequest> = {}, outbound = createOutbound(toLoopback)) =>
  outbound.send({ url, method: 'GET', timeoutMs: PATIENCE_MS, maxAnswerBytes: 1000, ...more })

const resolving =
  (...addresses: string[]): Resolve =>
  async () =>
    addresses

describe('a request', () => {
  test('carries what it is given and nothing else, and brings the answer back', async () => {
    const server = await opened(
      startHttp((request, response) => {
        let body = ''
        request.on('data', (part) => {
          body += part
        })
        request.on('end', () => {
          response.writeHead(202, { 'set-cookie': 'a=b' })
          response.end(JSON.stringify({ method: request.method, url: request.url, headers: request.headers, body }))
        })
      }),
    )
    const asked = { method: 'POST', headers: { 'x-own': 'yes' }, body: 'a body é' } as const // the word is the type
    for (const _ of [1, 2]) {
      const answer = await send(`${server.url}/path?x=1`, asked)
      assert.equal(answer.status, 202)
      assert.ok(Number.isInteger(answer.durationMs) && answer.durationMs >= 0)
      assert.deepEqual(JSON.parse(answer.body.toString()), {
        method: 'POST',
        url: '/path?x=1',
        headers: {
          host: `127.0.0.1:${server.port}`,
          connection: 'close',
          'accept-encoding': 'identity',
          'x-own': 'yes',
          'content-length': '9',
        },
        body: 'a body é',
      })
    }
  })

  test('gives errors of the server as answers', async () => {
    const server = await opened(startHttp((_request, response) => response.writeHead(503).end('no')))
    const { status, body } = await send(server.url)
    assert.deepEqual([status, body.toString()], [503, 'no'])
  })

  test('has a connection that does not outlive it, nor the check of its address', async () => {
    const ports = new Set<number | undefined>()
    const server = await opened(
      startHttp((request, response) => {
        ports.add(request.socket.remotePort)
        response.end()
      }),
    )
    const outbound = createOutbound(toLoopback)
    for (let round = 0; round < 3; round++) await send(server.url, {}, outbound)
    assert.equal(ports.size, 3)
  })
})

describe('a server that does not behave', () => {
  const BRIEF_MS = 400

  test('is not waited for longer than the time given, wherever it hangs', async () => {
    const silent = await opened(startRaw(() => {}))
    const dripping = (
      socket: { write(text: string): void; once(event: 'close', then: () => void): void },
      head: string,
    ) => {
      socket.write(head)
      const timer = setInterval(() => socket.write('x'), 20)
      socket.once('close', () => clearInterval(timer))
    }
    const slowHead = await opened(startRaw((socket) => dripping(socket, 'HTTP/1.1 200 OK\r\nx-slow: ')))
    const slowBody = await opened(
      startRaw((socket) => dripping(socket, 'HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n')),
    )
    for (const { url } of [silent, slowHead, slowBody])
      assert.equal(await reasonOf(send(url, { timeoutMs: BRIEF_MS })), 'timed_out', url)
    const deaf = createOutbound(toLoopback, () => new Promise(() => {}))
    assert.equal(await reasonOf(send('http://slow.example/', { timeoutMs: BRIEF_MS }, deaf)), 'timed_out')
  })

  test('is cut off when its answer does not end', async () => {
    let open = true
    const server = await opened(
      startHttp((_request, response) => {
        const pour = () => {
          while (response.write('x'.repeat(10_000)));
        }
        response.on('drain', pour)
        response.on('close', () => {
          open = false
        })
        pour()
      }),
    )
    const { status, body } = await send(server.url)
    assert.deepEqual([status, body.toString()], [200, 'x'.repeat(1000)])
    const deadline = Date.now() + PATIENCE_MS
    while (open && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20))
    assert.equal(open, false, 'the connection is closed')
    assert.equal((await send(server.url, { maxAnswerBytes: 0 })).body.length, 0)
  })

  for (const [what, head, piece] of [
    ['interim answers', '', 'HTTP/1.1 102 Processing\r\n\r\n'],
    ['extensions of a chunk', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5', ';x=y'],
    ['words beside its status', 'HTTP/1.1 200 ', 'OK '],
    ['empty lines', '', '\r\n'],
  ] as const)
    test(`is given up when there is no end of ${what}, once or over a kept connection`, async () => {
      const server = await opened(
        startRaw((socket) => {
          const pour = () => {
            while (!socket.destroyed && socket.write(piece.repeat(2_000)));
          }
          socket.once('data', () => {
            socket.write(head)
            socket.on('drain', pour)
            pour()
          })
        }),
      )
      assert.equal(await reasonOf(send(server.url)), 'too_long')
      const session = createOutbound(toLoopback).connect(server.url)
      const request = { method: 'POST', timeoutMs: PATIENCE_MS, maxAnswerBytes: 1000 } as const // the word is the type
      assert.equal(await reasonOf(session.send(request)), 'too_long')
      await session.close()
    })

  test('does not get a packed answer unpacked', async () => {
    const packed = gzipSync(Buffer.alloc(50_000_000))
    const server = await opened(
      startHttp((_request, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(packed)),
    )
    const { body } = await send(server.url, { maxAnswerBytes: 1_000_000 })
    assert.deepEqual(body, packed)
  })

  test('is told from others by a reason', async () => {
    const closed = await startHttp(() => {})
    await closed.close()
    assert.equal(await reasonOf(send(closed.url)), 'refused')
    const noHttp = await opened(startRaw((socket) => socket.write('SSH-2.0-server\r\n')))
    assert.equal(await reasonOf(send(noHttp.url)), 'not_http')
    const hangsUp = await opened(startRaw((socket) => socket.once('data', () => socket.destroy())))
    assert.equal(await reasonOf(send(hangsUp.url)), 'broken')
    const wordy = await opened(
      startRaw((socket) => socket.write(`HTTP/1.1 200 OK\r\nx-long: ${'x'.repeat(100_000)}\r\n\r\n`)),
    )
    assert.equal(await reasonOf(send(wordy.url)), 'too_long')
    const noName = createOutbound(toLoopback, resolving())
    assert.equal(await reasonOf(send('http://nowhere.example/', {}, noName)), 'unresolvable')
  })
})

describe('TLS', () => {
  test('wants a certificate that is trusted, and for that name', async () => {
    const server = await opened(startHttps((_request, response) => response.end('sealed')))
    const outbound = createOutbound(toLoopback, resolving('127.0.0.1'))
    const ask = (host: string) => send(`https://${host}:${server.port}/`, {}, outbound)
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'
    try {
      assert.equal(await reasonOf(ask('receiver.test')), 'tls', 'nobody vouches for it')
    } finally {
      delete process.env.NODE_TLS_REJECT_UNAUTHORIZED
    }
    await trusting(async () => {
      assert.equal((await ask('receiver.test')).body.toString(), 'sealed')
      assert.equal(await reasonOf(ask('other.test')), 'tls', 'it is for another name')
      assert.equal(await reasonOf(ask('127.0.0.1')), 'tls')
    })
  })

  test('is not given up for a server that has none', async () => {
    const server = await opened(startHttp((_request, response) => response.end()))
    assert.equal(await reasonOf(send(`https://127.0.0.1:${server.port}/`)), 'tls')
  })
})
