import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type DnsServer, startDnsServer } from '../../modules/mail-domains/dns-server.fixture.ts'
import { createResolveTxt, type ResolveTxt } from './resolve-txt.ts'

describe('TXT records', () => {
  let dns: DnsServer
  let resolve: ResolveTxt
  before(async () => {
    dns = await startDnsServer()
    resolve = createResolveTxt({ servers: [dns.address], tryMs: 150 })
  })
  after(() => dns.close())

  it('come as one text each, however many parts they have', async () => {
    dns.zone.set('many.example.com', ['one', 'x'.repeat(900), ''])
    assert.deepEqual(await resolve('many.example.com'), { isKnown: true, texts: ['one', 'x'.repeat(900), ''] })
  })

  it('that are not there are known not to be', async () => {
    dns.zone.set('empty.example.com', [])
    assert.deepEqual(await resolve('empty.example.com'), { isKnown: true, texts: [] })
    assert.deepEqual(await resolve('nothing.example.com'), { isKnown: true, texts: [] })
  })

  it('of a server that is silent, says that it cannot, or is not there, are not known', async () => {
    dns.zone.set('silent.example.com', 'silent')
    dns.zone.set('broken.example.com', 'broken')
    assert.deepEqual(await resolve('silent.example.com'), { isKnown: false })
    assert.deepEqual(await resolve('broken.example.com'), { isKnown: false })
    assert.deepEqual(await createResolveTxt({ servers: ['127.0.0.1:9'], tryMs: 150 })('a.example.com'), {
      isKnown: false,
    })
    assert.deepEqual(await resolve('not a name..'), { isKnown: false })
  })

  it('that are many or huge are bounded', async () => {
    dns.zone.set(
      'huge.example.com',
      Array.from({ length: 400 }, (_, at) => (at === 0 ? 'y'.repeat(8_000) : `record ${at}`)),
    )
    const answer = await resolve('huge.example.com')
    assert.ok(answer.isKnown)
    assert.equal(answer.texts.length, 49, 'fifty records, without the one that is too long')
    assert.ok(answer.texts.every((text) => text.startsWith('record ')))
  })
})
