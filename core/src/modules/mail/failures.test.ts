import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { afterEach, describe, test } from 'node:test'
import { SMTPServer } from 'smtp-server'
import type { MailError } from './replies.ts'
import { createMailer, type Mailer } from './transport.ts'

const from = { name: 'Core', address: 'no-reply@example.com' }
const mail = { to: 'ann@example.com', subject: 'Hello', text: 'Plain', html: '<p>Rich</p>' }
const log = { info() {}, warn() {} }
const PATIENCE = { connectMs: 200, answerMs: 5_000, mailMs: 400 }

const opened: { mailer: Mailer; server: Server | SMTPServer; sockets: Set<Socket> }[] = []
afterEach(async () => {
  for (const { mailer, server, sockets } of opened.splice(0)) {
    mailer.close()
    for (const socket of sockets) socket.destroy()
    await new Promise<void>((resolve) => server.close(() => resolve()))
  }
})

/** A server that speaks as `talk` does, word by word, and a mailer that sends to it. */
async function startTalker(talk: (socket: Socket, line: string | null) => void, scheme = 'smtp') {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    talk(socket, null)
    socket.on('data', (bytes) => {
      for (const line of bytes.toString().split('\r\n').filter(Boolean)) talk(socket, line)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { mailer: mailerTo(server, scheme, { server, sockets }), sockets }
}

function mailerTo(of: Server, scheme: string, served: { server: Server | SMTPServer; sockets: Set<Socket> }) {
  const { port } = of.address() as AddressInfo // it listens on a port
  const smtpUrl = `${scheme}://127.0.0.1:${port}`
  const mailer = createMailer({ dataDir: '', mail: { off: false, smtpUrl, from } }, log, PATIENCE)
  opened.push({ mailer, ...served })
  return mailer
}

const failureOf = (sending: Promise<unknown>): Promise<MailError> =>
  sending.then(
    () => assert.fail('the mail was sent'),
    (error: MailError) => error,
  )

/** As far as the mail itself. */
const welcome = (socket: Socket, line: string | null) => {
  if (line === null) socket.write('220 mx ESMTP\r\n')
  else if (line.startsWith('EHLO')) socket.write('250 mx\r\n')
  else if (/^(MAIL|RCPT)/.test(line)) socket.write('250 OK\r\n')
  else if (line === 'DATA') socket.write('354 Go on\r\n')
}

describe('a mail server that fails', () => {
  test('by breaking off in the middle of a mail is asked again', async () => {
    const { mailer } = await startTalker((socket, line) => {
      welcome(socket, line)
      if (line?.startsWith('Subject')) socket.destroy()
    })
    const failure = await failureOf(mailer.send(mail))
    assert.deepEqual([failure.verdict, failure.reply], ['away', null])
  })

  test('by never greeting, or never answering, keeps nobody', async () => {
    const greetless = await startTalker(() => {})
    assert.equal((await failureOf(greetless.mailer.send(mail))).verdict, 'away')
    const mute = await startTalker((socket, line) => (line === null ? welcome(socket, line) : undefined))
    assert.equal((await failureOf(mute.mailer.send(mail))).verdict, 'away')
  })

  test('by a word now and then, without an end, keeps nobody longer than a mail may take', {
    timeout: 20_000,
  }, async () => {
    const timers: NodeJS.Timeout[] = []
    const { mailer } = await startTalker((socket, line) => {
      if (line === null) socket.write('220 mx ESMTP\r\n')
      else if (line.startsWith('EHLO')) timers.push(setInterval(() => socket.write('250-and so on\r\n'), 20))
    })
    assert.equal((await failureOf(mailer.send(mail))).verdict, 'away')
    for (const timer of timers) clearInterval(timer)
  })

  test('to prove who it is gets no mail, neither encrypted nor in the clear', async () => {
    let took = 0
    const server = new SMTPServer({
      authOptional: true,
      onData: (stream, _session, done) => {
        took++
        stream.resume().on('end', () => done())
      },
    })
    server.on('error', () => {})
    server.listen(0, '127.0.0.1')
    await once(server.server, 'listening')
    const mailer = mailerTo(server.server, 'smtp', { server, sockets: new Set() })
    const failure = await failureOf(mailer.send(mail))
    assert.equal(failure.isPermanent, false)
    assert.equal(took, 0)
  })

  test('to speak TLS at all gets no mail', async () => {
    const { mailer } = await startTalker((socket, line) => (line === null ? welcome(socket, line) : undefined), 'smtps')
    assert.equal((await failureOf(mailer.send(mail))).verdict, 'away')
  })

  test('to be there is not waited for by each mail', async () => {
    const { mailer, sockets } = await startTalker(() => {})
    assert.equal((await failureOf(mailer.send(mail))).verdict, 'away')
    const connections = sockets.size
    for (let i = 0; i < 20; i++)
      assert.equal((await failureOf(mailer.send(mail))).message, 'The mail server did not answer a moment ago')
    assert.equal(sockets.size, connections)
  })
})
