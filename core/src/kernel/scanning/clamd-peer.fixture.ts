import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer, type Socket } from 'node:net'

/** A peer of a client of clamd, that a test can make do what no real one does. */
export interface ClamdPeer {
  url: string
  /** What it has received, with the command and the lengths. */
  received(): Buffer
  /** Connections that are open. */
  open(): number
  close(): Promise<void>
}

/** What the peer does with a connection, each time something arrives; `received` is all that came by it. */
export type Behaviour = (socket: Socket, received: Buffer) => void

export async function startClamdPeer(behave: Behaviour): Promise<ClamdPeer> {
  const sockets = new Set<Socket>()
  let last = Buffer.alloc(0)
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const parts: Buffer[] = []
    sockets.add(socket)
    socket.on('error', () => {}) // the client may go at any time
    socket.on('close', () => sockets.delete(socket))
    socket.on('end', () => socket.end())
    socket.on('data', (part) => {
      parts.push(part)
      last = Buffer.concat(parts)
      behave(socket, last)
    })
    behave(socket, Buffer.alloc(0))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // it listens on a port
  return {
    url: `tcp://127.0.0.1:${port}`,
    received: () => last,
    open: () => sockets.size,
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

/** Whether a whole INSTREAM has arrived, its end included. */
export function isWhole(received: Buffer): boolean {
  return contentOf(received) !== undefined
}

/** The content of a whole INSTREAM; undefined while it is not whole. */
export function contentOf(received: Buffer): Buffer | undefined {
  const command = Buffer.from('zINSTREAM\0')
  if (!received.subarray(0, command.length).equals(command)) return undefined
  const parts: Buffer[] = []
  for (let at = command.length; at + 4 <= received.length; ) {
    const length = received.readUInt32BE(at)
    if (length === 0) return Buffer.concat(parts)
    parts.push(received.subarray(at + 4, at + 4 + length))
    at += 4 + length
  }
  return undefined
}
