import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { after, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { watchBody } from './body-stream.ts'

const servers: Server[] = []
after(() => {
  for (const server of servers) server.closeAllConnections()
  for (const server of servers) server.close()
})

/** A server that watches its one request, and the client's end of it. */
async function open(
  isSteady: boolean,
  ms: number,
): Promise<{ raw: IncomingMessage; socket: Socket; isLate: Promise<boolean> }> {
  const server = createServer().listen(0, '127.0.0.1')
  servers.push(server)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // it listens on a port
  const socket = connect(port, '127.0.0.1')
  socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n')
  const [raw] = (await once(server, 'request')) as [IncomingMessage] // as the server emits it
  const isLate = new Promise<boolean>((resolve) => {
    watchBody(raw, { ms, isSteady, late: () => resolve(true) })
    raw.once('end', () => resolve(false))
  })
  return { raw, socket, isLate }
}

/** One byte at a time, each soon after the one before, though all of them take longer than a body may. */
async function trickle(socket: Socket): Promise<void> {
  for (let sent = 0; sent < 10; sent++) {
    socket.write('x')
    await sleep(40)
  }
}

describe('a body that', () => {
  it('stands still is late, however it is read', async () => {
    for (const isSteady of [true, false]) {
      const { raw, socket, isLate } = await open(isSteady, 30)
      raw.resume()
      socket.write('x')
      assert.equal(await isLate, true)
    }
  })

  it('stands still is late although it is read by an iterator, which keeps it paused', async () => {
    const { raw, socket, isLate } = await open(true, 30)
    void (async () => {
      for await (const _ of raw.iterator({ destroyOnReturn: false }));
    })().catch(() => {})
    socket.write('x')
    assert.equal(await isLate, true)
  })

  it('arrives in time is not', async () => {
    for (const isSteady of [true, false]) {
      const { raw, socket, isLate } = await open(isSteady, 60_000)
      raw.resume()
      await trickle(socket)
      assert.equal(await isLate, false)
    }
  })

  it('is not whole in time is late, although it moves; not so one that is read while it arrives', async () => {
    const whole = await open(false, 100)
    whole.raw.resume()
    const [isLate] = await Promise.all([whole.isLate, trickle(whole.socket)])
    assert.equal(isLate, true)
    const moving = await open(true, 5_000)
    moving.raw.resume()
    await trickle(moving.socket)
    assert.equal(await moving.isLate, false)
  })

  it('waits for us is not late', async () => {
    const { raw, isLate } = await open(true, 30)
    raw.pause()
    const isToldSo = Promise.race([isLate, sleep(200, 'not yet')])
    assert.equal(await isToldSo, 'not yet')
  })
})
