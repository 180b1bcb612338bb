import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Webhook } from 'standardwebhooks'

/** A webhook as it came. */
export interface Received {
  headers: IncomingHttpHeaders
  text: string
  /** The event; throws unless the signature fits. */
  // biome-ignore lint/suspicious/noExplicitAny: an event of any shape
  verify(secret: string): any
}

/** A program that takes webhooks, on a port of its own. */
export interface Receiver {
  url: string
  received: Received[]
  /** What it answers: 200, unless told otherwise. */
  status: number
  close(): Promise<void>
}

export async function startReceiver(port = 0): Promise<Receiver> {
  const server = createServer(async (request, response) => {
    let text = ''
    for await (const chunk of request.setEncoding('utf8')) text += chunk
    const { headers } = request
    const verify = (secret: string) => new Webhook(secret).verify(text, headers as Record<string, string>) // of one value each
    receiver.received.push({ headers, text, verify })
    response.writeHead(receiver.status).end()
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const receiver: Receiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, // it listens
    received: [],
    status: 200,
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return receiver
}
