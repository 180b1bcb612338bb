import { type ClientRequest, get, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestCore, TestPerson } from '../../../testing/index.ts'
import { until } from '../../../testing/until.ts'

export interface HeardEvent {
  event: string
  id: string | null
  // biome-ignore lint/suspicious/noExplicitAny: data of every event
  data: any
}

/** A reader of a stream, over a real connection. */
export interface Listener {
  status: number
  headers: IncomingMessage['headers']
  events: HeardEvent[]
  /** Lines that begin with a colon. */
  comments: number
  isOver: boolean
  /** The events of a name so far. */
  named(event: string): HeardEvent[]
  /** Waits for an event that fits, and gives it. */
  next(what: string, fits: (event: HeardEvent) => boolean): Promise<HeardEvent>
  over(): Promise<void>
  close(): void
}

export interface ListenOptions {
  lastId?: string
  query?: string
  /** Reads nothing of the answer. */
  isDeaf?: boolean
}

/** Opens a stream as a person; resolves once its answer has begun. */
export async function listenAs(
  test: TestCore,
  person: Pick<TestPerson, 'token'>,
  { lastId, query = '', isDeaf = false }: ListenOptions = {},
): Promise<Listener> {
  const { port } = test.app.server.address() as AddressInfo // it listens
  const headers = {
    authorization: `Bearer ${await person.token()}`,
    ...(lastId === undefined ? {} : { 'last-event-id': lastId }),
  }
  let request: ClientRequest | undefined
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const url = `http://127.0.0.1:${port}/api/v1/notifications/stream${query}`
    request = get(url, { headers, agent: false }, resolve)
    request.on('error', reject)
  })
  response.on('error', () => {}) // cut off by a test
  const listener: Listener = {
    status: response.statusCode ?? 0,
    headers: response.headers,
    events: [],
    comments: 0,
    isOver: false,
    named: (name) => listener.events.filter(({ event }) => event === name),
    async next(what, fits) {
      await until(what, () => listener.events.some(fits))
      return listener.events.find(fits) as HeardEvent // waited for
    },
    over: () => until('the stream is over', () => listener.isOver),
    close: () => request?.destroy(),
  }
  response.on('close', () => {
    listener.isOver = true
  })
  if (isDeaf) response.pause()
  else readInto(listener, response)
  return listener
}

function readInto(listener: Listener, response: IncomingMessage): void {
  let rest = ''
  response.setEncoding('utf8').on('data', (text: string) => {
    const blocks = (rest + text).split('\n\n')
    rest = blocks.pop() ?? ''
    for (const block of blocks) {
      const fields = new Map(block.split('\n').map((line) => [line.split(':', 1)[0], line.replace(/^[a-z]*: ?/, '')]))
      const event = fields.get('event')
      if (block.startsWith(':')) listener.comments++
      if (event)
        listener.events.push({ event, id: fields.get('id') ?? null, data: JSON.parse(fields.get('data') ?? '') })
    }
  })
}
