import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { after, beforeEach, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { reasonOf, startHttp, type TestServer } from './outbound.fixture.ts'
import { createOutbound, type Outbound, type OutboundRequest } from './outbound.ts'
import type { Resolve } from './resolve.ts'

const PATIENCE_MS = 60_000
const strict = { env: 'test', outboundAllow: [] } as const // the word is the type
const toOne = { env: 'test', outboundAllow: ['127.0.0.1/32'] } as const // as above
const toTwo = { env: 'test', outboundAllow: ['127.0.0.2/32'] } as const // as above

const servers: TestServer[] = []
after(() => Promise.all(servers.map((server) => server.close())))
async function opened(server: Promise<TestServer>): Promise<TestServer> {
  servers.push(await server)
  return server
}

// What may not be reached listens here, and counts who came.
let reached = 0
const inside = await opened(
  startHttp((_request, response) => {
    reached++
    response.end('inside')
  }),
)
/** Another address of this machine with the same port. */
const outside = await opened(
  startHttp((_request, response) => response.end('outside'), { host: '127.0.0.2', port: inside.port }),
)
beforeEach(() => {
  reached = 0
})

const resolving =
  (...addresses: string[]): Resolve =>
  async () =>
    addresses

const GET = { method: 'GET', timeoutMs: PATIENCE_MS, maxAnswerBytes: 1000 } as const // a word is a type

/** The ways in which something is sent. */
const WAYS: Record<string, (outbound: Outbound, url: string, more?: Partial<OutboundRequest>) => Promise<string>> = {
  'a request': async (outbound, url, more) => textOf(await outbound.send({ ...GET, url, ...more })),
  'a session': async (outbound, url, more) => {
    const session = outbound.connect(url)
    try {
      return textOf(await session.send({ ...GET, ...more }))
    } finally {
      await session.close()
    }
  },
}

const textOf = ({ status, body }: { status: number; body: Buffer }) => `${status} ${body}`

for (const [name, ask] of Object.entries(WAYS))
  describe(name, () => {
    test('comes to no internal address, however it is spelled', async () => {
      const outbound = createOutbound(strict)
      for (const host of [
        ...['127.0.0.1', '127.1', '2130706433', '0x7f.1', '0x7f000001', '0177.1', '017700000001', '127.0.0.1.'],
        ...['localhost', 'localhost.', 'a.localhost', '0', '0.0.0.0', '[::]', '[::1]', '10.1', '192.168.1.1'],
        ...['[::ffff:7f00:1]', '[::ffff:127.0.0.1]', '[::127.0.0.1]', '[::ffff:8.8.8.8]', '[0:0:0:0:0:ffff:a9fe:a9fe]'],
        ...['[64:ff9b::127.0.0.1]', '[64:ff9b::a9fe:a9fe]', '[64:ff9b:1::7f00:1]', '[64:ff9b:1:ffff::8.8.8.8]'],
        ...['169.254.169.254', '2852039166', '0xa9fea9fe', '0251.0376.0251.0376', '[fd00:ec2::254]', '[fe80::1]'],
        ...['[2002:7f00:1::]', '[2001:0:7f00:1::]', '100.64.0.1', '224.0.0.1', '255.255.255.255', '168.63.129.16'],
      ])
        assert.equal(await reasonOf(ask(outbound, `http://${host}:${inside.port}/`)), 'refused_address', host)
      assert.equal(reached, 0)
      assert.equal(await ask(createOutbound(toOne), inside.url), '200 inside', 'where it may, it comes there')
      assert.equal(reached, 1)
    })

    test('comes to no internal address that a name leads to, with a dot at its end or without', async () => {
      for (const address of [
        ...['127.0.0.1', '10.0.0.1', '0.0.0.0', '169.254.169.254', '100.100.100.200', '::', '::1', 'fd00::1'],
        ...['fd00:ec2::254', 'fe80::1', 'fe80::1%lo', '::ffff:127.0.0.1', '::ffff:8.8.8.8', '::127.0.0.1'],
        ...[
          '64:ff9b::7f00:1',
          '64:ff9b::169.254.169.254',
          '64:ff9b:1::7f00:1',
          '64:ff9b:1::10.0.0.1',
          '2002:7f00:1::1',
        ],
        ...['0177.0.0.1', '2130706433', 'nonsense', ''],
      ])
        for (const host of ['rebind.example', 'rebind.example.']) {
          const outbound = createOutbound(strict, resolving(address))
          const asked = ask(outbound, `http://${host}:${inside.port}/`)
          assert.equal(await reasonOf(asked), 'refused_address', address)
        }
      assert.equal(reached, 0)
    })

    test('comes to those addresses of a name that it may be sent to, and to no others', async () => {
      const url = `http://mixed.example:${inside.port}/`
      const internal = ['::1', '127.0.0.1', '::ffff:127.0.0.1', 'fd00::1']
      for (const addresses of [
        [...internal, '127.0.0.2'],
        ['127.0.0.2', ...internal],
      ])
        assert.equal(await ask(createOutbound(toTwo, resolving(...addresses)), url), '200 outside')
      // Nobody listens at the one that may be reached: that is no reason to try another.
      const silent = createOutbound(
        { env: 'test', outboundAllow: ['127.0.0.3/32'] },
        resolving(...internal, '127.0.0.3'),
      )
      assert.equal(await reasonOf(ask(silent, url)), 'refused')
      assert.equal(reached, 0)
    })

    test('comes where the check saw it go, when the name leads elsewhere the second time', async () => {
      let asked = 0
      const outbound = createOutbound(toTwo, async () => (asked++ === 0 ? ['127.0.0.2'] : ['127.0.0.1']))
      const url = `http://rebind.example:${inside.port}/`
      assert.equal(await ask(outbound, url), '200 outside')
      assert.equal(asked, 1, 'the name is looked up once')
      assert.equal(await reasonOf(ask(outbound, url)), 'refused_address', 'and checked anew')
      assert.equal(reached, 0)
    })

    test('follows no redirect', async () => {
      for (const status of [301, 302, 303, 307, 308]) {
        const location = `${inside.url}/`
        const server = await opened(
          startHttp((_request, response) => response.writeHead(status, { location }).end('moved')),
        )
        const answer = await ask(createOutbound(toOne), server.url, { method: 'POST', body: 'x' })
        assert.equal(answer, `${status} moved`)
      }
      assert.equal(reached, 0)
    })

    test('goes to URLs of no other form, and by plain HTTP outside of production only', async () => {
      const production = createOutbound({ env: 'production', outboundAllow: ['127.0.0.0/8'] })
      assert.equal(await reasonOf(ask(production, inside.url)), 'invalid_url')
      const { port } = inside
      for (const url of [
        ...[`http://a:b@127.0.0.1:${port}/`, `http://a@127.0.0.1:${port}/`, `http://@127.0.0.1:${port}/`],
        ...[`http://a.example\\@127.0.0.1:${port}/`, `http://a.example@127.0.0.1:${port}/`, `${inside.url}/#x`],
        ...[
          'file:///etc/passwd',
          'nonsense',
          '',
          `${inside.url}/\n`,
          `//127.0.0.1:${port}/`,
          `http:127.0.0.1:${port}/`,
        ],
      ])
        assert.equal(await reasonOf(ask(createOutbound(toOne), url)), 'invalid_url', url)
      assert.equal(reached, 0)
    })
  })

test('no proxy that the environment names is used', async () => {
  // Node reads some of these when it starts, so this is a process of its own.
  const { href } = new URL('./outbound.ts', import.meta.url)
  const script = `
    const { createOutbound } = await import(${JSON.stringify(href)})
    const outbound = createOutbound({ env: 'test', outboundAllow: ['127.0.0.2/32'] })
    const request = ${JSON.stringify(GET)}
    const session = outbound.connect('${outside.url}')
    const answers = [await outbound.send({ ...request, url: '${outside.url}' }), await session.send(request)]
    await session.close()
    console.log(answers.map(({ body }) => String(body)).join(' '))`
  const proxies = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY'].flatMap((name) => [name, name.toLowerCase()])
  const env = {
    ...process.env,
    ...Object.fromEntries(proxies.map((name) => [name, inside.url])),
    NODE_USE_ENV_PROXY: '1',
    NO_PROXY: '',
  }
  const args = ['--input-type=module', '--eval', script]
  const { stdout } = await promisify(execFile)(process.execPath, args, { env, timeout: PATIENCE_MS })
  assert.equal(stdout, 'outside outside\n')
  assert.equal(reached, 0)
})

describe('a session whose name leads elsewhere later', () => {
  /** Answers what it is told, and counts how often it is asked. */
  function furnish(recheckMs: number, ...first: string[]) {
    const zone = { addresses: first, asked: 0 }
    const resolve: Resolve = async () => {
      zone.asked++
      return zone.addresses
    }
    const outbound = createOutbound(toTwo, resolve, { recheckMs })
    const session = outbound.connect(`http://rebind.example:${inside.port}/`)
    return { zone, session, ask: async () => textOf(await session.send(GET)) }
  }

  test('looks the name up once as long as that is fresh, and keeps its connection', async () => {
    const { zone, session, ask } = furnish(PATIENCE_MS, '127.0.0.2')
    for (let round = 0; round < 3; round++) assert.equal(await ask(), '200 outside')
    assert.equal(zone.asked, 1)
    await session.close()
  })

  test('looks it up again afterwards, and uses no connection to an address that has gone', async () => {
    const { zone, session, ask } = furnish(0, '127.0.0.2')
    assert.equal(await ask(), '200 outside')
    assert.equal(await ask(), '200 outside')
    assert.equal(zone.asked, 2)
    for (const elsewhere of [['127.0.0.1'], ['10.0.0.1', '::1'], []]) {
      zone.addresses = elsewhere
      assert.match(await reasonOf(ask()), /^(?:refused_address|unresolvable)$/)
    }
    assert.equal(reached, 0)
    zone.addresses = ['127.0.0.2', '127.0.0.1']
    assert.equal(await ask(), '200 outside', 'it comes back with the name')
    await session.close()
  })

  test('goes where the name leads now when it may', async () => {
    const came: string[] = []
    const note = (host: string, port = 0) =>
      startHttp(
        (request, response) => {
          came.push(host)
          response.end(String(request.socket.remotePort))
        },
        { host, port },
      )
    const { port } = await opened(note('127.0.0.4'))
    await opened(note('127.0.0.5', port))
    const zone = { addresses: ['127.0.0.4'] }
    const both = { env: 'test', outboundAllow: ['127.0.0.4/31'] } as const // the word is the type
    const outbound = createOutbound(both, async () => zone.addresses, { recheckMs: 0 })
    const session = outbound.connect(`http://moving.example:${port}/`)
    const ports = [textOf(await session.send(GET)), textOf(await session.send(GET))]
    assert.equal(ports[0], ports[1], 'the connection is kept')
    zone.addresses = ['127.0.0.5']
    await session.send(GET)
    assert.deepEqual(came, ['127.0.0.4', '127.0.0.4', '127.0.0.5'])
    await session.close()
  })

  test('checks every new connection, however fresh the last look-up is', async () => {
    const held: (() => void)[] = []
    const slow = await opened(
      startHttp((_request, response) => held.push(() => response.end('slow')), { host: '127.0.0.2' }),
    )
    let address = '127.0.0.2'
    const outbound = createOutbound(toTwo, async () => [address], { recheckMs: PATIENCE_MS })
    const session = outbound.connect(`http://rebind.example:${slow.port}/`)
    const first = session.send(GET)
    const deadline = Date.now() + PATIENCE_MS
    while (held.length === 0 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 10))
    address = '127.0.0.1'
    assert.equal(await reasonOf(session.send(GET)), 'refused_address', 'for a second connection')
    held[0]?.()
    assert.equal(textOf(await first), '200 slow', 'what was sent where it might go is answered')
    await session.close()
  })

  test('sends nothing when the check itself fails or never ends', async () => {
    let fails = false
    const resolve: Resolve = async () => {
      if (fails) throw new Error('no name server')
      return ['127.0.0.2']
    }
    const outbound = createOutbound(toTwo, resolve, { recheckMs: 0 })
    const session = outbound.connect(`http://rebind.example:${inside.port}/`)
    assert.equal(textOf(await session.send(GET)), '200 outside')
    fails = true
    await assert.rejects(session.send(GET))
    await session.close()
    const deaf = createOutbound(toTwo, () => new Promise(() => {})).connect(`http://slow.example:${inside.port}/`)
    assert.equal(await reasonOf(deaf.send({ ...GET, timeoutMs: 50 })), 'timed_out')
    await deaf.close()
  })
})
