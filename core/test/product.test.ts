import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { openapiDocument } from '../src/kernel/http/openapi.ts'
import { completeProduct, userAgentOf } from '../src/kernel/product.ts'
import { listMailbox } from '../src/modules/mail/mailbox.ts'
import { drainJobs } from '../src/testing/drain-jobs.ts'
import { createTestCore, type TestCore } from '../src/testing/index.ts'
import { person } from './run-cli.ts'

const product = {
  name: 'Café & Söhne',
  apiTitle: 'Café <API>',
  version: '3.2.1',
  problemTypes: 'https://cafe.example/problems/',
}

describe('an application under a name of its own', () => {
  let shop: TestCore
  before(async () => {
    shop = await createTestCore({ product })
  })
  after(() => shop.close())

  test('has it in the API document, and its own types in every error of it', () => {
    const document = openapiDocument(shop.core)
    assert.deepEqual([document.info.title, document.info.version], ['Café <API>', '3.2.1'])
    assert.ok(!('license' in document.info), 'the licence is the application’s to say')
    const types = [...JSON.stringify(document).matchAll(/"type":"((?:urn|https?):[^"]*)"/g)].map(([, type]) => type)
    assert.ok(types.length > 100)
    assert.deepEqual(
      types.filter((type) => !type?.startsWith(product.problemTypes)),
      [],
    )
  })

  test('has it on its pages', async () => {
    assert.match(
      (await shop.request('GET', '/')).text,
      /<title>Café &amp; Söhne<\/title>[\s\S]*<h1[^>]*>Café &amp; Söhne</,
    )
    assert.match((await shop.request('GET', '/api/docs')).text, /<title>Café &lt;API&gt;<\/title>/)
  })

  test('has its own types in errors of routes, of what is no route, and of what is no request', async () => {
    const [route, none, refused] = await Promise.all([
      shop.request('POST', '/api/v1/auth/login', { body: {} }),
      shop.request('GET', '/nowhere'),
      sendNonsense(shop),
    ])
    assert.equal(route.body.type, 'https://cafe.example/problems/invalid_request')
    assert.equal(none.body.type, 'https://cafe.example/problems/not_found')
    assert.equal(JSON.parse(refused).type, 'https://cafe.example/problems/invalid_request')
  })

  test('has it in the sender of its mails, and refuses it as a password', async () => {
    const weak = { ...person('eve@example.com'), password: 'Café & Söhne 1' }
    const refused = await shop.request('POST', '/api/v1/auth/register', { body: weak })
    assert.deepEqual([refused.status, refused.body.errors[0].pointer], [400, '#/password'], refused.text)
    const ada = await shop.request('POST', '/api/v1/auth/register', { body: person('ada@example.com') })
    assert.equal(ada.status, 201)
    for (const tenant of [ada.body.tenant.id, null]) await drainJobs(shop.core, tenant)
    const [mail] = await listMailbox(shop.dataDir)
    assert.match(mail?.from ?? '', /Café & Söhne <no-reply@localhost>$/)
  })

  test('has its own types in an answer that is kept for a repeated request', async () => {
    const { body } = await shop.request('POST', '/api/v1/auth/register', { body: person('bob@example.com') })
    const again = () =>
      shop.request('POST', '/api/v1/roles', {
        token: body.access_token,
        headers: { 'idempotency-key': 'twice' },
        body: { name: 'Owner', description: '', scope: 'tenant', permissions: [] },
      })
    const [first, second] = [await again(), await again()]
    assert.deepEqual([first.status, second.headers['idempotent-replayed']], [409, 'true'], first.text)
    assert.equal(second.body.type, 'https://cafe.example/problems/name_taken')
  })
})

test('a name becomes a header that every server takes', () => {
  const of = (name: string) => userAgentOf(completeProduct({ name }))
  assert.deepEqual(['Tenantry', 'Café & Söhne', 'Kasse 2.0', '销售'].map(of), [
    'Tenantry',
    'Cafe-Sohne',
    'Kasse-2.0',
    'Tenantry',
  ])
})

test('what cannot be shown or is no URI is refused, all of it at once', () => {
  const wrong = { name: ' ', command: 'a\nb', version: '', apiTitle: 'x'.repeat(201), problemTypes: 'problems' }
  assert.throws(
    () => completeProduct(wrong),
    /name must .*; command must .*; version must .*; apiTitle must .*; problemTypes must /,
  )
  for (const problemTypes of ['urn:shop', 'urn:shop: ', 'ftp://a/', 'https://a', 'javascript:'])
    assert.throws(() => completeProduct({ problemTypes }), /problemTypes/, problemTypes)
  for (const problemTypes of ['urn:shop:', 'https://a.example/problems#', 'https://a.example/?p='])
    assert.equal(completeProduct({ problemTypes }).problemTypes, problemTypes)
})

/** The body of the answer to what is no HTTP. */
async function sendNonsense({ app }: TestCore): Promise<string> {
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as { port: number } // it listens on a port
  const socket = connect(port, '127.0.0.1').setEncoding('utf8')
  let answer = ''
  socket.on('data', (text) => {
    answer += text
  })
  socket.end('nonsense\r\n\r\n')
  await once(socket, 'close')
  return answer.split('\r\n\r\n')[1] ?? ''
}
