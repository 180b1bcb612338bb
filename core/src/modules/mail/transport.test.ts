import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, describe, test } from 'node:test'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { listMailbox } from './mailbox.ts'
import type { MailError } from './replies.ts'
import { createMailer, type Mailer } from './transport.ts'

const from = { name: 'Core', address: 'no-reply@example.com' }
const mail = { to: 'ann@example.com', subject: 'Grüße', text: 'Plain täxt', html: '<p>Rich täxt</p>' }

const logged: string[] = []
const record = (details: object, message: string) => logged.push(JSON.stringify(details) + message)
const log = { info: record, warn: record }

interface Received {
  from: string
  to: string[]
  raw: string
}

interface Peer {
  mailer: Mailer
  received: Received[]
}

const running: { server: SMTPServer; mailer: Mailer }[] = []
afterEach(async () => {
  for (const { server, mailer } of running.splice(0)) {
    mailer.close()
    await new Promise<void>((resolve) => server.close(resolve))
  }
})

/** A real mail server on loopback and a mailer that speaks to it. */
async function startPeer(options: SMTPServerOptions = {}, credentials = ''): Promise<Peer> {
  const received: Received[] = []
  const server = new SMTPServer({
    disabledCommands: ['STARTTLS'],
    authOptional: !credentials,
    onData(stream, session, done) {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope
        const sender = mailFrom ? mailFrom.address : ''
        received.push({ from: sender, to: rcptTo.map(({ address }) => address), raw: Buffer.concat(chunks).toString() })
        done()
      })
    },
    ...options,
  })
  server.listen(0, '127.0.0.1')
  await once(server.server, 'listening')
  const { port } = server.server.address() as AddressInfo // listening on a port, not a pipe
  const mailer = createMailer(
    { dataDir: '', mail: { off: false, smtpUrl: `smtp://${credentials}127.0.0.1:${port}`, from } },
    log,
  )
  running.push({ server, mailer })
  return { mailer, received }
}

/** The name in the From header, unfolded and decoded as a mail program would, quotes taken off. */
function fromOf(raw: string): string {
  const [head = ''] = raw.split('\r\n\r\n')
  const unfolded = head.replace(/\r\n[ \t]+/g, ' ')
  const name = /^From: (?:(.*) )?<?no-reply@example\.com>?\r?$/m.exec(unfolded)?.[1] ?? assert.fail(head)
  const bytes = (text: string) =>
    text.replaceAll('_', ' ').replace(/=(..)/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
  return name
    .replace(/\?= +=\?utf-8\?q\?/gi, '')
    .replace(/=\?utf-8\?q\?(.*?)\?=/gi, (_, text: string) => Buffer.from(bytes(text), 'latin1').toString())
    .replace(/^"(.*)"$/, '$1')
}

function replying(code: number, message: string): Error {
  return Object.assign(new Error(message), { responseCode: code })
}

async function failureOf(work: Promise<unknown>): Promise<MailError> {
  return await work.then(
    () => assert.fail('the mail was taken'),
    (error: MailError) => error,
  )
}

describe('SMTP', () => {
  test('a mail arrives with both parts, its subject and its sender', async () => {
    const { mailer, received } = await startPeer()
    await mailer.verify()
    await mailer.send({ ...mail, fromName: 'Acme "Tools"' })
    const [{ raw = '', ...envelope } = {}] = received
    assert.deepEqual(envelope, { from: 'no-reply@example.com', to: ['ann@example.com'] })
    assert.match(raw, /^From: Acme Tools via Core <no-reply@example\.com>\r$/m)
    assert.match(raw, /^To: <?ann@example\.com>?\r$/m)
    assert.match(raw, /^Subject: =\?UTF-8\?Q\?Gr=C3=BC=C3=9Fe\?=\r$/m)
    assert.match(raw, /^Auto-Submitted: auto-generated\r$/m)
    assert.match(raw, /multipart\/alternative.*text\/plain.*Plain t=C3=A4xt.*text\/html.*Rich t=C3=A4xt/s)
  })

  test('nothing in a value becomes a header or another recipient', async () => {
    const { mailer, received } = await startPeer()
    const inject = 'x\r\nBcc: eve@evil.test\nX-Evil: 1\u2028Cc: eve@evil.test'
    await mailer.send({ ...mail, subject: inject, fromName: inject, text: inject, html: inject })
    assert.deepEqual(received[0]?.to, ['ann@example.com'])
    const [head = ''] = received[0]?.raw.split('\r\n\r\n') ?? []
    assert.doesNotMatch(head, /^(Bcc|Cc|X-Evil):/im)
    for (const to of [
      'a@x.test, b@x.test',
      'a@x.test\r\nRCPT TO:<b@x.test>',
      'A <a@x.test>',
      'g: a@x.test;',
      'a',
      '',
    ]) {
      assert.equal((await failureOf(mailer.send({ ...mail, to }))).isPermanent, true)
    }
    assert.equal(received.length, 1)
  })

  test('a sender’s name holds no address, no bracket, no quote and no encoded word, and says whose mail it is', async () => {
    const { mailer, received } = await startPeer()
    const names: [given: string, shown: string][] = [
      ['PayPal <security@paypal.com>', 'PayPal via Core'],
      ['security@paypal.com', 'Core'],
      ['=?utf-8?q?PayPal=20=3Csecurity@paypal.com=3E?=', 'Core'],
      ['Acme =?utf-8?b?UGF5UGFs?= Ltd', 'Acme Ltd via Core'],
      ['"PayPal" (security) [team] {x}', 'PayPal security team x via Core'],
      ['\uff1cPayPal\uff1e \u3008x\u3009 \u00abquoted\u00bb', 'PayPal x quoted via Core'],
      ['PayPal\u200b\u202e Support', 'PayPal Support via Core'],
      ['Bank, call +1 (800) 555-0100', 'Bank, call via Core'],
      ['www.paypal.com', 'Core'],
      ['O\u2019Brien & Sons, Inc.', 'O\u2019Brien & Sons, Inc. via Core'],
      ['x'.repeat(300), `${'x'.repeat(80)} via Core`],
    ]
    for (const [fromName] of names) await mailer.send({ ...mail, fromName })
    const shown = received.map(({ raw }) => fromOf(raw))
    assert.deepEqual(
      shown,
      names.map(([, name]) => name),
    )
  })

  test('a temporary refusal is thrown, so that the job tries again, and the next attempt goes through', async () => {
    let attempts = 0
    const { mailer, received } = await startPeer({
      onRcptTo: (address, _session, done) =>
        attempts++ === 0 ? done(replying(451, `4.7.1 <${address.address}> greylisted, try again later`)) : done(),
    })
    const error = await failureOf(mailer.send(mail))
    assert.equal(error.name, 'MailError')
    assert.equal(error.isPermanent, false)
    assert.match(error.message, /451.*greylisted/)
    assert.doesNotMatch(error.message, /ann@/)
    await mailer.send(mail)
    assert.equal(received.length, 1)
  })

  test('a lasting refusal is told apart', async () => {
    const { mailer } = await startPeer({
      onRcptTo: (address, _session, done) => done(replying(550, `5.1.1 ${address.address} no such user`)),
    })
    const error = await failureOf(mailer.send(mail))
    assert.equal(error.isPermanent, true)
    assert.match(error.message, /550/)
  })

  test('wrong credentials fail at verify, and neither they nor an address show in error or log', async () => {
    const { mailer } = await startPeer(
      { allowInsecureAuth: true, onAuth: (_auth, _session, done) => done(new Error('no')) },
      'ann:hunter2@',
    )
    const errors = [await failureOf(mailer.verify()), await failureOf(mailer.send(mail))]
    for (const { message, isPermanent } of errors) {
      assert.match(message, /EAUTH/)
      assert.equal(isPermanent, false, 'credentials can be mended, then the mail goes out')
    }
    assert.doesNotMatch(errors.map(String).join() + logged.join(), /hunter2|aHVudGVyMg|ann@/)
  })

  test('a server that cannot be reached is a temporary failure', async () => {
    const mailer = createMailer({ dataDir: '', mail: { off: false, smtpUrl: 'smtp://127.0.0.1:1', from } }, log)
    assert.equal((await failureOf(mailer.send(mail))).isPermanent, false)
    mailer.close()
  })

  test('many mails share a few connections', async () => {
    let connections = 0
    const { mailer, received } = await startPeer({
      onConnect: (_session, done) => {
        connections++
        done()
      },
    })
    await Promise.all(Array.from({ length: 30 }, () => mailer.send(mail)))
    assert.equal(received.length, 30)
    assert.ok(connections <= 5, `${connections} connections`)
  })
})

describe('without an SMTP server', () => {
  let dataDir: string
  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'mailer-'))
  })
  after(() => rm(dataDir, { recursive: true }))

  test('mails go to the mailbox on disk', async () => {
    const mailer = createMailer({ dataDir, mail: { off: false, smtpUrl: null, from } }, log)
    await mailer.verify()
    await mailer.send({ ...mail, subject: 'a\r\nb', fromName: 'Acme' })
    const [stored] = await listMailbox(dataDir)
    const { subject, to, text, html } = stored ?? {}
    assert.deepEqual({ subject, to, text, html }, { ...mail, subject: 'a b' })
    assert.equal(stored?.from, 'Acme via Core <no-reply@example.com>')
    await assert.rejects(mailer.send({ ...mail, to: 'nobody' }))
    mailer.close()
  })
})
