import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { after, describe, test } from 'node:test'
import { startHttp, startHttps, startRaw, type TestServer, trusting } from './outbound.fixture.ts'
import { createOutbound, type OutboundRequest } from './outbound.ts'
import { OutboundError } from './outbound-error.ts'
import type { OutboundSession } from './session.ts'

const servers: TestServer[] = []
after(() => Promise.all(servers.map((server) => server.close())))
async function opened(server: Promise<TestServer>): Promise<TestServer> {
  servers.push(await server)
  return server
}

const PATIENCE_MS = 60_000
const toLoopback = { env: 'test', outboundAllow: ['127.0.0.0/8'] } as const // the word is the type
const outbound = createOutbound(toLoopback)

const post = (session: OutboundSession, more: Partial<OutboundRequest> = {}) =>
  session.send({ method: 'POST', body: 'x', timeoutMs: PATIENCE_MS, maxAnswerBytes: 1000, ...more })

const reasonOf = (request: Promise<unknown>): Promise<string> =>
  request.then(
    () => assert.fail('it was answered'),
    (error: unknown) => (error instanceof OutboundError ? error.reason : assert.fail(String(error))),
  )

/** A server that tells its connections apart. */
async function furnish(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const sockets: Socket[] = []
  const server = await opened(
    startHttp((request, response) => {
      if (!sockets.includes(request.socket)) sockets.push(request.socket)
      request.resume().on('end', () => answer(request, response))
    }),
  )
  return { ...server, sockets }
}

async function until(isSo: () => boolean): Promise<void> {
  for (const deadline = Date.now() + PATIENCE_MS; !isSo(); ) {
    assert.ok(Date.now() < deadline, 'in time')
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

describe('a session', () => {
  test('sends one request after the other over one connection, and ends it', async () => {
    const server = await furnish((request, response) => response.end(`${request.method} ${request.url}`))
    const session = outbound.connect(`${server.url}/in?x=1`)
    for (let round = 0; round < 5; round++) assert.equal((await post(session)).body.toString(), 'POST /in?x=1')
    assert.equal(server.sockets.length, 1)
    assert.equal(server.sockets[0]?.destroyed, false)
    await session.close()
    await until(() => server.sockets[0]?.destroyed === true)
    await assert.rejects(post(session), /session is closed/)
  })

  test('has as many connections as it may and no more; the others wait', async () => {
    const held: ServerResponse[] = []
    const server = await furnish((_request, response) => held.push(response))
    const session = outbound.connect(server.url, { connections: 3 })
    const sent = Array.from({ length: 7 }, () => post(session))
    for (const round of [3, 6, 7]) {
      await until(() => held.length === round)
      for (const response of held.slice(-3)) if (!response.writableEnded) response.end('done')
    }
    for (const { status } of await Promise.all(sent)) assert.equal(status, 200)
    assert.equal(server.sockets.length, 3)
    await session.close()
    assert.throws(() => outbound.connect(server.url, { connections: 0 }))
  })

  test('lets no request wait for longer than its time', async () => {
    const held: ServerResponse[] = []
    const server = await furnish((_request, response) => held.push(response))
    const session = outbound.connect(server.url, { connections: 1 })
    const first = post(session)
    await until(() => held.length === 1)
    assert.equal(await reasonOf(post(session, { timeoutMs: 50 })), 'timed_out')
    held[0]?.end()
    assert.equal((await first).status, 200)
    const last = post(session) // the place of the one that gave up is not lost
    await until(() => held.length === 2)
    held[1]?.end()
    assert.equal((await last).status, 200)
    await session.close()
  })

  test('is closed when what was sent has been answered', async () => {
    const held: ServerResponse[] = []
    const server = await furnish((_request, response) => held.push(response))
    const session = outbound.connect(server.url)
    const sent = post(session)
    await until(() => held.length === 1)
    let isClosed = false
    const closing = session.close().then(() => {
      isClosed = true
    })
    await new Promise((resolve) => setImmediate(resolve))
    assert.equal(isClosed, false)
    held[0]?.end('late')
    assert.equal((await sent).body.toString(), 'late')
    await closing
    await until(() => server.sockets[0]?.destroyed === true)
  })
})

describe('a connection that is kept', () => {
  test('is made anew when the server has ended it', async () => {
    const server = await furnish((_request, response) => response.writeHead(200, { connection: 'close' }).end('bye'))
    const session = outbound.connect(server.url)
    for (let round = 0; round < 3; round++) assert.equal((await post(session)).body.toString(), 'bye')
    assert.equal(server.sockets.length, 3)
    await session.close()
  })

  /** Answers the first request of a connection, and does with the second one what it is told. */
  const startFickle = async (second: (socket: Socket) => void) => {
    const seen: number[] = []
    const server = await opened(
      startRaw((socket) => {
        const place = seen.push(0) - 1
        socket.on('data', () => {
          seen[place] = (seen[place] ?? 0) + 1
          if (seen[place] === 1 || place > 0) socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')
          else second(socket)
        })
      }),
    )
    return { ...server, seen }
  }

  test('and that ends at the moment when it is used again costs one more attempt', async () => {
    for (const ending of [(socket: Socket) => socket.destroy(), (socket: Socket) => socket.resetAndDestroy()]) {
      const server = await startFickle(ending)
      const session = outbound.connect(server.url)
      for (let round = 0; round < 3; round++) assert.equal((await post(session)).body.toString(), 'ok')
      assert.deepEqual(server.seen, [2, 2])
      await session.close()
    }
  })

  test('and that ends within an answer costs none: the answer was on its way', async () => {
    const server = await startFickle((socket) => socket.end('HTTP/1.1 200 O'))
    const session = outbound.connect(server.url)
    await post(session)
    assert.equal(await reasonOf(post(session)), 'broken')
    assert.deepEqual(server.seen, [2])
    await session.close()
  })

  test('and a new one that ends without an answer is not tried again', async () => {
    let asked = 0
    const server = await opened(
      startRaw((socket) =>
        socket.once('data', () => {
          asked++
          socket.destroy()
        }),
      ),
    )
    const session = outbound.connect(server.url)
    assert.equal(await reasonOf(post(session)), 'broken')
    assert.equal(asked, 1)
    await session.close()
  })

  test('is not used again after an answer of which something is left, or no end is known', async () => {
    const server = await furnish((request, response) => {
      if (request.url === '/long') response.end('x'.repeat(5000))
      else response.write('endless')
    })
    for (const [path, maxAnswerBytes] of [
      ['/long', 1000],
      ['/long', 0],
      ['/endless', 7],
      ['/endless', 0],
    ] as const) {
      const session = outbound.connect(server.url + path)
      const count = server.sockets.length
      for (const round of [1, 2]) {
        const { status, body } = await post(session, { maxAnswerBytes })
        assert.deepEqual([status, body.length], [200, maxAnswerBytes])
        assert.equal(server.sockets.length, count + round)
        await until(() => server.sockets.at(-1)?.destroyed === true)
      }
      await session.close()
    }
  })

  test('is used again after an answer without a body, though none is read', async () => {
    const server = await furnish((request, response) =>
      request.url === '/204' ? response.writeHead(204).end() : response.writeHead(200, { 'content-length': 0 }).end(),
    )
    for (const path of ['/204', '/200']) {
      const session = outbound.connect(server.url + path)
      for (let round = 0; round < 3; round++) assert.equal((await post(session, { maxAnswerBytes: 0 })).body.length, 0)
      await session.close()
    }
    assert.equal(server.sockets.length, 2)
  })

  test('ends when the time of its request is over, in the middle of an answer too', async () => {
    const server = await furnish((request, response) => {
      if (request.url === '/silent') return
      response.writeHead(200)
      const timer = setInterval(() => response.write('x'), 20)
      response.once('close', () => clearInterval(timer))
    })
    for (const path of ['/silent', '/dripping']) {
      const session = outbound.connect(server.url + path)
      assert.equal(await reasonOf(post(session, { timeoutMs: 300 })), 'timed_out')
      await until(() => server.sockets.at(-1)?.destroyed === true)
      await session.close()
    }
    assert.equal(server.sockets.length, 2)
  })

  test('is a trusted one over TLS', async () => {
    const sockets = new Set<unknown>()
    const server = await opened(
      startHttps((request, response) => {
        sockets.add(request.socket)
        if (sockets.size === 1 && request.headers['x-end']) request.socket.destroy()
        else response.end('sealed')
      }),
    )
    const named = createOutbound(toLoopback, async () => ['127.0.0.1'])
    const distrusting = named.connect(`https://receiver.test:${server.port}/`)
    assert.equal(await reasonOf(post(distrusting)), 'tls')
    const session = named.connect(`https://receiver.test:${server.port}/`)
    const other = named.connect(`https://other.test:${server.port}/`)
    await trusting(async () => {
      for (let round = 0; round < 3; round++) assert.equal((await post(session)).body.toString(), 'sealed')
      assert.equal(sockets.size, 1)
      assert.equal((await post(session, { headers: { 'x-end': '1' } })).body.toString(), 'sealed', 'over a new one')
      assert.equal(sockets.size, 2)
      assert.equal(await reasonOf(post(other)), 'tls', 'it is for another name')
    })
    await Promise.all([distrusting, session, other].map((each) => each.close()))
  })
})
