import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { after, before, describe, it } from 'node:test'
import fc from 'fast-check'
import { dkimVerify } from 'mailauth/lib/dkim/verify.js'
import { SMTPServer } from 'smtp-server'
import { SEED } from '../../testing/seed.ts'
import { createMailer, type Mail, type Mailer } from './transport.ts'

const OWN = 'no-reply@platform.example'
const THEIRS = 'news@tenant.example'
const { privateKey, publicKey } = generateKeyPairSync('rsa', {
  modulusLength: 1024, // quickly made; what is checked is what it covers
  publicKeyEncoding: { type: 'spki', format: 'der' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
})
const dkim = { domainName: 'tenant.example', keySelector: 'm1', privateKey }
const resolver = async () => [[`v=DKIM1; p=${publicKey.toString('base64')}`]]

/** Everything that a mail of ours may have. */
const KNOWN = [
  'from',
  'to',
  'subject',
  'date',
  'message-id',
  'mime-version',
  'content-type',
  'content-transfer-encoding',
  'auto-submitted',
  'x-auto-response-suppress',
  'reply-to',
  'list-unsubscribe',
  'list-unsubscribe-post',
  'dkim-signature',
]
const ONCE = ['from', 'to', 'subject', 'date', 'message-id', 'mime-version', 'content-type']

const NASTY = [
  '\r\nBcc: eve@evil.example',
  '\nX-Evil: 1',
  '\rSubject: other',
  '\r\n\r\n<script>',
  '\r\n.\r\nMAIL FROM:<eve@evil.example>',
  '\0',
  '\u000b',
  '\u0085',
  '\u2028To: eve@evil.example',
  '\u2029',
  '=?utf-8?q?=0D=0ABcc:_eve@evil.example?=',
  '=?utf-8?b?DQpCY2M6IGV2ZUBldmlsLmV4YW1wbGU=?=',
  '<eve@evil.example>',
  ', eve@evil.example',
  '"Eve" <eve@evil.example>',
  '";',
  '\\"',
  '(comment)',
  'group: a@evil.example;',
  '\u202e',
  '\ud800',
  'é',
  '你好',
  '😀'.repeat(40),
  'x'.repeat(300),
]
const hostile = fc
  .array(fc.oneof(fc.constantFrom(...NASTY), fc.string({ maxLength: 6 }), fc.constant('Acme')), { maxLength: 4 })
  .map((parts) => parts.join(''))
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined })

describe('headers, as a mail server gets them', () => {
  let server: SMTPServer
  let mailer: Mailer
  const received: { raw: string; to: string[]; from: string }[] = []
  before(async () => {
    server = new SMTPServer({
      disabledCommands: ['STARTTLS'],
      authOptional: true,
      onData(stream, { envelope: { mailFrom, rcptTo } }, done) {
        const chunks: Buffer[] = []
        stream.on('data', (chunk: Buffer) => chunks.push(chunk))
        stream.on('end', () => {
          const raw = Buffer.concat(chunks).toString('latin1')
          received.push({ raw, to: rcptTo.map(({ address }) => address), from: mailFrom ? mailFrom.address : '' })
          done()
        })
      },
    })
    server.listen(0, '127.0.0.1')
    await once(server.server, 'listening')
    const { port } = server.server.address() as AddressInfo // listening on a port, not a pipe
    const from = { name: 'Platform', address: OWN }
    const log = { info: () => {}, warn: () => {} }
    mailer = createMailer({ dataDir: '', mail: { off: false, smtpUrl: `smtp://127.0.0.1:${port}`, from } }, log)
  })
  after(async () => {
    mailer.close()
    await new Promise<void>((resolve) => server.close(resolve))
  })

  async function arriving(mail: Partial<Mail>) {
    await mailer.send({ to: 'ann@example.com', subject: 'News', text: 'Text', html: '<p>Text</p>', ...mail })
    const last = received.pop() ?? assert.fail('nothing arrived')
    const [head = ''] = last.raw.split('\r\n\r\n')
    const lines = head.replace(/\r\n[ \t]+/g, ' ').split('\r\n')
    const of = (name: string) => lines.filter((line) => line.toLowerCase().startsWith(`${name}:`))
    return { ...last, head, lines, of }
  }

  it('are those of a mail and no others, whatever names, subjects and addresses hold', async () => {
    const mails = fc.record({
      subject: hostile,
      fromName: maybe(hostile),
      sender: maybe(
        fc.record({
          from: fc.record({ name: maybe(hostile), address: maybe(fc.oneof(hostile, fc.constant(THEIRS))) }),
          replyTo: maybe(fc.oneof(hostile, fc.constant('help@tenant.example'))),
          dkim: maybe(fc.constant(dkim)),
        }),
      ),
      unsubscribeUrl: maybe(fc.oneof(hostile, fc.constant('https://app.example/unsubscribe?token=a.b'))),
      text: hostile,
      html: hostile,
    })
    await fc.assert(
      fc.asyncProperty(mails, async (mail) => {
        const { head, lines, of, to, from } = await arriving(mail)
        assert.deepEqual(to, ['ann@example.com'])
        assert.equal(from, OWN)
        assert.doesNotMatch(head, /[\0\v]|[^\r]\n|\r[^\n]/, 'a bare line break, or a character that ends a text')
        for (const line of lines) {
          const name = /^([a-z-]+):/i.exec(line)?.[1]?.toLowerCase()
          assert.ok(name && KNOWN.includes(name), line)
          assert.equal(of(name).length, 1, line)
          assert.match(line, /^[\x20-\x7e]*$/)
        }
        for (const name of ONCE) assert.equal(of(name).length, 1, `${name}\n${head}`)
        assert.match(of('to').join(), /^To: <?ann@example\.com>?$/)
        assert.match(of('reply-to').join(), /^(Reply-To: <?help@tenant\.example>?)?$/)
        const [, address] = /<([^<>]*)>$/.exec(of('from').join()) ?? /^From: ([^ ]+)$/.exec(of('from').join()) ?? []
        const expected = mail.sender?.from.address === THEIRS ? THEIRS : OWN
        assert.equal(address, expected, of('from').join())
        assert.equal((of('from').join().match(/@/g) ?? []).length, 1, of('from').join())
      }),
      { numRuns: 150, seed: SEED },
    )
  })

  it('of a mail that can be switched off have the two of RFC 8058, and the signature covers them', async () => {
    const url = `https://app.example/unsubscribe?token=${'a'.repeat(120)}.${'b'.repeat(22)}`
    const { raw, of } = await arriving({ sender: { from: { address: THEIRS }, dkim }, unsubscribeUrl: url })
    assert.deepEqual(of('list-unsubscribe'), [`List-Unsubscribe: <${url}>`])
    assert.deepEqual(of('list-unsubscribe-post'), ['List-Unsubscribe-Post: List-Unsubscribe=One-Click'])
    const check = async (text: string) => {
      const [result] = (await dkimVerify(text, { resolver })).results
      return result?.status.result
    }
    assert.equal(await check(raw), 'pass')
    const covered = /\bh=([^;]*);/.exec(of('dkim-signature').join())?.[1]?.replaceAll(' ', '').split(':')
    for (const name of ['from', 'subject', 'to', 'list-unsubscribe', 'list-unsubscribe-post'])
      assert.ok(covered?.includes(name), `${name} is not covered: ${covered}`)
    assert.equal(await check(raw.replace('List-Unsubscribe=One-Click', 'List-Unsubscribe=Two-Clicks')), 'fail')
    assert.equal(await check(raw.replace('https://app.example', 'https://eve.example')), 'fail')
  })

  it('of other mails have neither', async () => {
    const { of } = await arriving({})
    assert.deepEqual([...of('list-unsubscribe'), ...of('list-unsubscribe-post')], [])
  })
})
