import assert from 'node:assert/strict'
import { request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { createTestCore, type TestCore } from '../../testing/index.ts'
import { mail } from './index.ts'
import { storeMail } from './mailbox.ts'

/** Its links open accounts, so who may read the mailbox is the same in development and in tests. */
for (const env of ['development', 'test'])
  describe(`the mailbox page (NODE_ENV=${env})`, () => {
    let core: TestCore
    let paths: string[]
    before(async () => {
      core = await createTestCore({
        modules: [mail],
        env: { NODE_ENV: env, PUBLIC_URL: 'http://dev.example.com:3000', TRUSTED_PROXIES: '127.0.0.0/8' },
      })
      await core.app.listen({ host: '127.0.0.1', port: 0 })
      const content = { from: 'a@x.test', to: 'b@x.test', subject: 'x', text: 'x', html: 'x' }
      const { id } = await storeMail(core.dataDir, content)
      paths = ['/dev/mailbox', `/dev/mailbox/${id}`]
    })
    after(() => core.close())

    const from = async (remoteAddress: string, headers: Record<string, string> = {}) => {
      const answers = await Promise.all(
        paths.map((url) => core.app.inject({ url, remoteAddress, headers: { host: 'localhost:3000', ...headers } })),
      )
      const [first] = answers
      assert.ok(answers.every(({ statusCode }) => statusCode === first?.statusCode))
      return first?.statusCode
    }

    test('is read by programs of this machine', async () => {
      for (const address of ['127.0.0.1', '127.8.9.1', '::1', '::ffff:127.0.0.1'])
        assert.equal(await from(address), 200, address)
    })

    test('is not there for any other peer', async () => {
      for (const address of ['10.0.0.7', '203.0.113.9', '2001:db8::1', '::ffff:10.0.0.7', 'fe80::1', '0.0.0.0'])
        assert.equal(await from(address), 404, address)
    })

    test('is not there under a name that is not ours: another site may lead its name here', async () => {
      for (const host of ['localhost', 'LOCALHOST:80', '127.0.0.1:3000', '[::1]:3000', 'dev.example.com:1'])
        assert.equal(await from('127.0.0.1', { host }), 200, host)
      const hosts = ['rebind.evil.example:3000', 'localhost.evil.example', 'evil.example', '10.0.0.7', '[::2]']
      for (const host of [...hosts, 'localhost:3000@evil.example', 'a.localhost', 'localhost, evil.example', '0.0.0.0'])
        assert.equal(await from('127.0.0.1', { host }), 404, host)
    })

    test('is not there through a proxy, not even a trusted one', async () => {
      for (const name of ['x-forwarded-for', 'X-Forwarded-Host', 'x-forwarded-proto', 'forwarded', 'via', 'x-real-ip'])
        assert.equal(await from('127.0.0.1', { [name]: '127.0.0.1' }), 404, name)
      assert.equal(await from('127.0.0.1', { 'x-forwarded-for': '' }), 404)
    })

    test('is not there for pages of another origin, nor where another site leads', async () => {
      for (const origin of ['https://app.example.com', 'http://localhost:5173', 'http://localhost', 'null', ''])
        assert.equal(await from('127.0.0.1', { origin }), 404, origin)
      assert.equal(await from('127.0.0.1', { 'sec-fetch-site': 'cross-site' }), 404)
      assert.equal(await from('127.0.0.1', { origin: 'http://localhost:3000', 'sec-fetch-site': 'same-origin' }), 200)
      for (const site of ['none', 'same-origin', 'same-site'])
        assert.equal(await from('127.0.0.1', { 'sec-fetch-site': site }), 200, site)
    })

    test('is not there for a request that names two hosts, or none', async () => {
      assert.equal(await overSocket(core, ['Host', 'localhost', 'Host', 'evil.example']), 400)
      assert.equal(await overSocket(core, ['Host', 'evil.example', 'Host', 'localhost']), 400)
      assert.equal(await overSocket(core, ['Host', 'localhost']), 200)
    })
  })

/** The status that a request with exactly these headers gets. */
async function overSocket({ app }: TestCore, headers: string[]): Promise<number | undefined> {
  const { port } = app.server.address() as AddressInfo // it listens on a port
  const { promise, resolve, reject } = Promise.withResolvers<number | undefined>()
  request({ host: '127.0.0.1', port, path: '/dev/mailbox', headers, setHost: false, agent: false })
    .on('response', (answer) => {
      answer.resume().on('end', () => resolve(answer.statusCode))
    })
    .on('error', reject)
    .end()
  return promise
}
