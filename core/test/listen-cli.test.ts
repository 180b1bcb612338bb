import assert from 'node:assert/strict'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, beforeEach, describe, test } from 'node:test'
import { newSigningSecret } from '#kernel'
import { makeKey } from '../src/modules/api-keys/api-keys.fixture.ts'
import { makeStore, pullAll } from '../src/modules/events/events.fixture.ts'
import { createTestCore, type TestCore, type TestPerson } from '../src/testing/index.ts'
import { until } from '../src/testing/until.ts'
import { type Receiver, startReceiver } from './receiver.fixture.ts'
import { cleanUp, type RunningCli, runCli, startCli } from './run-cli.ts'

const secret = newSigningSecret()
let t: TestCore
let owner: TestPerson
let receiver: Receiver
let url: string
let key: string
before(async () => {
  t = await createTestCore()
  await t.app.listen({ port: 0, host: '127.0.0.1' })
  url = `http://127.0.0.1:${(t.app.server.address() as AddressInfo).port}` // it listens
  receiver = await startReceiver()
  owner = (await t.foundTenant({ plan: 'business' })).owner
  key = (await makeKey(owner, { scopes: ['event.view'] })).key
})
beforeEach(() => {
  receiver.received = []
  receiver.status = 200
})
after(async () => {
  await cleanUp()
  await receiver.close()
  await t.close()
})

const begin = (args = '', env: Record<string, string> = { TENANTRY_API_KEY: key }): RunningCli =>
  startCli(`listen --forward-to ${receiver.url} --url ${url} --secret ${secret} ${args}`, { env })
const names = (): string[] => receiver.received.map(({ verify }) => verify(secret).data.name)
const untilReceived = (count: number) => until(`${count} came`, () => receiver.received.length >= count)

/** Ends it as Ctrl-C does; the cursor that it says. */
async function end(cli: RunningCli): Promise<string> {
  const { code, out } = await cli.stop('SIGINT')
  assert.equal(code, 0, out)
  return /To go on: --from=(\S+)\n$/.exec(out)?.[1] ?? assert.fail(out)
}

describe('tenantry listen', () => {
  test('sends what comes as a webhook is sent, and goes on where it has ended', async () => {
    const cli = begin('--types store.*,role.deleted')
    await cli.says('Sending events to')
    const first = await makeStore(owner)
    await untilReceived(1)
    const [came] = receiver.received
    const { events } = await pullAll(owner)
    const { id, ...body } = events.at(-1) ?? assert.fail()
    assert.equal(came?.text, JSON.stringify(body), 'the body is the event without its id')
    assert.deepEqual([came?.headers['webhook-id'], came?.headers['user-agent']], [id, 'Tenantry'])
    await cli.says(new RegExp(`^\\d\\d:\\d\\d:\\d\\d {2}store\\.created +${id} {2}200 {2}\\d+ ms$`, 'm'))
    const cursor = await end(cli)

    await owner.post('/roles', { name: 'Not asked for', permissions: [] })
    const second = await makeStore(owner)
    const again = begin(`--types store.*,role.deleted --from=${cursor}`)
    await again.says('Sending events to')
    await untilReceived(2)
    const third = await makeStore(owner)
    await untilReceived(3)
    await end(again)
    assert.deepEqual(names(), [first.name, second.name, third.name])
  })

  test('begins with the oldest on wish, and ends between two events of a page', async () => {
    const all = (await pullAll(owner)).events.map(({ id }) => id)
    receiver.status = 503
    const cli = begin('--from beginning')
    await untilReceived(1)
    receiver.status = 200
    await untilReceived(3)
    receiver.status = 503
    const taken = () => new Set(cli.said().match(/[\w-]{36}(?= {2}200 )/g)).size
    await cli.says(/200[\s\S]*503/)
    const cursor = await end(cli)
    const rest = begin(`--from=${cursor}`)
    receiver.received = []
    receiver.status = 200
    await untilReceived(all.length - taken())
    await end(rest)
    assert.deepEqual(
      receiver.received.map(({ headers }) => headers['webhook-id']),
      all.slice(taken()),
    )
  })

  test('sends again what is not taken, in order, and says so', async () => {
    const cli = begin()
    await cli.says('Sending events to')
    const { url } = receiver
    await receiver.close()
    const made = [await makeStore(owner), await makeStore(owner)]
    await cli.says(/ECONNREFUSED[\s\S]*not taken: sent again in 1 s\. Nothing is passed over/)
    receiver = await startReceiver(Number(new URL(url).port))
    await untilReceived(2)
    await end(cli)
    assert.deepEqual(
      names(),
      made.map(({ name }) => name),
    )
  })

  test('says what is wrong with the key, the place and the server', async () => {
    const { key: weak } = await makeKey(owner)
    const run = (args: string, apiKey: string) =>
      runCli(`listen --forward-to ${receiver.url} --url ${url} --secret ${secret} --api-key ${apiKey} ${args}`)
    const [refused, unable, lost, unknown, elsewhere] = await Promise.all([
      run('', `${key}x`),
      run('', weak),
      run('--from x', key),
      run('--types shop.*', key),
      run(`--url ${receiver.url}`, key),
    ])
    const ends = { refused, unable, lost, unknown, elsewhere }
    for (const [name, says] of Object.entries({
      refused: /The API key is refused \(401 invalid_api_key\)/,
      unable: /The API key may not follow events \(403 scope_denied\): it needs the scope event\.view/,
      lost: /The events cannot be gone on with from there/,
      unknown: /query\/types names no event that goes out by "shop\.\*"/,
      elsewhere: /does not answer as this API does: is --url right\?/,
    })) {
      const { code, err } = ends[name as keyof typeof ends] // as listed
      assert.equal(code, 1, name)
      assert.match(err, says)
    }
    const wrong = await runCli(`listen --forward-to ${receiver.url}`)
    assert.equal(wrong.code, 2)
    assert.match(wrong.err, /--api-key or TENANTRY_API_KEY is required/)
  })

  test('asks again while the server has a problem, as late as it says', async () => {
    const answers: ((response: ServerResponse) => void)[] = [
      (response) => response.writeHead(503, { 'retry-after': '0' }).end('{"code":"unavailable"}'),
      (response) => response.writeHead(429, { 'retry-after': '0' }).end('{"code":"rate_limited"}'),
      (response) => response.destroy(),
    ]
    const proxy = createServer(async (request, response) => {
      const answer = answers.shift()
      if (answer) return answer(response)
      const { status, text } = await t.request('GET', request.url ?? '', { token: key })
      response.writeHead(status).end(text)
    })
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
    const { port } = proxy.address() as AddressInfo // it listens
    const cli = begin(`--url http://127.0.0.1:${port}`)
    await cli.says(
      /has a problem \(503 unavailable\)[\s\S]*Too many requests \(429 rate_limited\)[\s\S]*cannot be reached[\s\S]*Sending events to/,
    )
    const { name } = await makeStore(owner)
    await untilReceived(1)
    await end(cli)
    assert.deepEqual(names(), [name])
    proxy.closeAllConnections()
    await new Promise((resolve) => proxy.close(resolve))
  })
})
