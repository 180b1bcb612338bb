import assert from 'node:assert/strict'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { after, test } from 'node:test'
import { startHttp } from './outbound.fixture.ts'
import { createOutbound } from './outbound.ts'
import { OutboundError } from './outbound-error.ts'
import { createResolve } from './resolve.ts'

const sockets: Socket[] = []
after(() => {
  for (const socket of sockets) socket.close()
})

const TYPES = { 1: 'A', 28: 'AAAA' } as const // the words are types of records

/** A name server that knows these addresses of every name, as bytes; null: it never answers. */
async function startNameServer(records: { A?: number[][]; AAAA?: number[][] } | null): Promise<string> {
  const socket = createSocket('udp4')
  sockets.push(socket)
  socket.on('message', (query, { port, address }) => {
    if (records === null) return
    const question = query.subarray(12, query.indexOf(0, 12) + 5)
    const type = question.readUInt16BE(question.length - 4)
    const found = records[TYPES[type as keyof typeof TYPES]] ?? [] // of other types there are none
    const head = Buffer.from([...query.subarray(0, 2), 0x81, 0x80, 0, 1, 0, found.length, 0, 0, 0, 0])
    const answers = found.map((bytes) => Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 60, 0, bytes.length, ...bytes]))
    socket.send(Buffer.concat([head, question, ...answers]), port, address)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return `127.0.0.1:${socket.address().port}`
}

const never = new AbortController().signal

test('all addresses of a name are found, of both versions', async () => {
  const v6 = [0x20, 0x01, 0x48, 0x60, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]
  const server = await startNameServer({
    A: [
      [192, 0, 2, 1],
      [192, 0, 2, 2],
    ],
    AAAA: [v6],
  })
  const found = await createResolve([server])('receiver.example', never)
  assert.deepEqual([...found].sort(), ['192.0.2.1', '192.0.2.2', '2001:4860::1'])
})

test('a name of one version alone has those, and one without addresses none', async () => {
  const one = await startNameServer({ A: [[192, 0, 2, 1]] })
  assert.deepEqual(await createResolve([one])('receiver.example', never), ['192.0.2.1'])
  const none = await startNameServer({})
  assert.deepEqual(await createResolve([none])('receiver.example', never), [])
})

test('a name server that does not answer is given up when the time is over', async () => {
  const silent = await startNameServer(null)
  const time = new AbortController()
  setTimeout(() => time.abort(), 50)
  const begun = performance.now()
  assert.deepEqual(await createResolve([silent])('receiver.example', time.signal), [])
  // By itself it would be asked for six seconds.
  assert.ok(performance.now() - begun < 5_500)
})

test('what a name server says is checked and connected to', async () => {
  const server = await startHttp((request, response) => response.end(request.headers.host))
  const resolve = createResolve([await startNameServer({ A: [[127, 0, 0, 1]] })])
  const request = {
    url: `http://receiver.example:${server.port}/`,
    method: 'GET',
    timeoutMs: 20_000,
    maxAnswerBytes: 99,
  } as const // a word is a type
  const open = createOutbound({ env: 'test', outboundAllow: ['127.0.0.1/32'] }, resolve)
  assert.equal((await open.send(request)).body.toString(), `receiver.example:${server.port}`)
  const strict = createOutbound({ env: 'test', outboundAllow: [] }, resolve)
  await assert.rejects(
    strict.send(request),
    (error) => error instanceof OutboundError && error.reason === 'refused_address',
  )
  await server.close()
})
