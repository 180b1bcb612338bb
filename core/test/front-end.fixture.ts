import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A server of somebody else's pages. */
export interface FrontEnd {
  /** As browsers name it. */
  origin: string
  close(): Promise<void>
}

/** Serves an empty page at every path, on a port of its own of this host. */
export async function startFrontEnd(host = '127.0.0.1'): Promise<FrontEnd> {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>Front end</title>')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo // it listens on a port
  return {
    origin: `http://${host}:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
