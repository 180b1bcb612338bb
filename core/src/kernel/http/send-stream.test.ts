import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { createServer, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { Readable } from 'node:stream'
import { after, describe, it } from 'node:test'
import { until } from '../../testing/until.ts'
import { watchAnswer } from './send-stream.ts'
import { ofLength } from './stream-length.ts'

const servers: Server[] = []
after(() => {
  for (const server of servers) server.closeAllConnections()
  for (const server of servers) server.close()
})

/** A server that watches its one answer, and the client's end of it, which reads nothing yet. */
async function open(ms: number): Promise<{ raw: ServerResponse; isCut: () => boolean }> {
  const server = createServer().listen(0, '127.0.0.1')
  servers.push(server)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // it listens on a port
  const socket = connect(port, '127.0.0.1').pause()
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  const [, raw] = (await once(server, 'request')) as [unknown, ServerResponse] // as the server emits it
  let isCut = false
  watchAnswer(raw, {
    ms,
    stalled: () => {
      isCut = true
      raw.destroy()
    },
  })
  return { raw, isCut: () => isCut }
}

function* endless() {
  for (;;) yield Buffer.alloc(256 * 1024)
}

describe('an answer that', () => {
  it('is not taken is cut off, and its source ends', async () => {
    const { raw, isCut } = await open(100)
    const source = Readable.from(endless(), { objectMode: false })
    const sent = ofLength(source, null)
    raw.once('close', () => sent.destroy())
    sent.pipe(raw)
    await until('it is cut off', isCut)
    await until('its source has ended', () => source.destroyed)
  })

  it('is taken is not, however slowly, nor one that has nothing to send', (test) => {
    test.mock.timers.enable({ apis: ['setInterval'] })
    const socket = { bytesWritten: 1_000, writableLength: 1_000 }
    let isCut = false
    const raw = Object.assign(new EventEmitter(), { socket })
    watchAnswer(raw as unknown as ServerResponse, {
      ms: 60_000,
      stalled: () => {
        isCut = true
      },
    }) // as much of it as is looked at
    for (let minute = 0; minute < 5; minute++) {
      socket.writableLength -= 1
      test.mock.timers.tick(60_000)
    }
    assert.equal(isCut, false, 'one byte a minute')
    Object.assign(socket, { writableLength: 0 })
    test.mock.timers.tick(600_000)
    assert.equal(isCut, false, 'all was taken')
    Object.assign(socket, { bytesWritten: 2_000, writableLength: 1_000 })
    test.mock.timers.tick(60_000)
    assert.equal(isCut, true, 'and of the next bytes none')
  })
})

describe('a stream of an announced length', () => {
  const pieces = (...content: string[]) => Readable.from(content.map(Buffer.from as (text: string) => Buffer))
  it('passes whole, in pieces that can be told apart', async () => {
    const large = Buffer.alloc(200_000, 'x')
    const sent: Buffer[] = []
    await once(
      ofLength(Readable.from([large], { objectMode: false }), 200_000).on('data', (piece) => sent.push(piece)),
      'end',
    )
    assert.deepEqual(Buffer.concat(sent), large)
    assert.ok(sent.every((piece) => piece.length <= 65_536))
  })

  it('fails with fewer bytes, and with more sends none of the surplus', async () => {
    await assert.rejects(ofLength(pieces('01', '23'), 5).toArray(), { name: 'WrongLength' })
    await assert.rejects(ofLength(pieces('01', '23'), 3).toArray(), { name: 'WrongLength' })
    await assert.rejects(ofLength(pieces(), 1).toArray(), { name: 'WrongLength' })
    assert.equal(Buffer.concat(await ofLength(pieces('01', '23'), null).toArray()).toString(), '0123')
  })
})
