import { once } from 'node:events'
import { createServer, connect as dial, type Socket } from 'node:net'

/** Stands between a client and PostgreSQL. */
export interface DatabaseProxy {
  /** The given URL, through the proxy. */
  url: string
  /** `pass` everything; `swallow` all bytes of both sides; `deafen`: leave out notifications, as a transaction pooler does. */
  mode: 'pass' | 'swallow' | 'deafen'
  close(): Promise<void>
}

const NOTIFICATION = 'A'.charCodeAt(0)

export async function openDatabaseProxy(databaseUrl: string): Promise<DatabaseProxy> {
  const target = new URL(databaseUrl)
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const upstream = dial(Number(target.port || 5432), target.hostname)
    const readMessages = messageReader()
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        sockets.delete(socket)
        for (const other of [client, upstream]) other.destroy()
      })
    }
    client.on('data', (bytes) => proxy.mode !== 'swallow' && upstream.write(bytes))
    upstream.on('data', (bytes) => {
      for (const message of readMessages(bytes)) {
        const isLeftOut = proxy.mode === 'swallow' || (proxy.mode === 'deafen' && message[0] === NOTIFICATION)
        if (!isLeftOut) client.write(message)
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const url = new URL(databaseUrl)
  url.hostname = '127.0.0.1'
  url.port = String(typeof address === 'object' ? address?.port : '')
  const proxy: DatabaseProxy = {
    url: url.href,
    mode: 'pass',
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return proxy
}

/** Cuts what the server sends into whole messages: a byte of type, four of length. */
function messageReader(): (bytes: Buffer) => Buffer[] {
  let rest: Buffer = Buffer.alloc(0)
  return (bytes) => {
    rest = Buffer.concat([rest, bytes])
    const messages: Buffer[] = []
    while (rest.length >= 5 && rest.length > rest.readUInt32BE(1)) {
      const end = 1 + rest.readUInt32BE(1)
      messages.push(rest.subarray(0, end))
      rest = rest.subarray(end)
    }
    return messages
  }
}
