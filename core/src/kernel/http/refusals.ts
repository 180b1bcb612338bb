import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { ConnectionError } from 'fastify'
import { type AppError, expectationFailed, headersTooLarge, invalidRequest, requestTimeout } from '../errors.ts'
import type { Product } from '../product.ts'
import { PROBLEM_TYPE, problemDocument } from './problem.ts'

/** Headers by name, and the text of a problem. */
type Refusal = { status: number; headers: Record<string, string>; body: string }

/** Answers requests that reach no route, in the form of all other answers. */
export function createRefusals(
  standingFor: (raw: IncomingMessage) => Readonly<Record<string, string>>,
  newRequestId: (raw: IncomingMessage) => string,
  { problemTypes }: Product,
) {
  const refusal = (error: AppError, raw: IncomingMessage): Refusal => {
    const requestId = newRequestId(raw)
    const body = JSON.stringify(problemDocument(error, requestId, problemTypes))
    const headers = {
      ...standingFor(raw),
      'content-type': PROBLEM_TYPE,
      'x-request-id': requestId,
      'content-length': String(Buffer.byteLength(body)),
      connection: 'close',
    }
    return { status: error.status, headers, body }
  }

  const write = (problem: AppError, socket: Socket): void => {
    const { status, headers, body } = refusal(problem, { headers: {} } as IncomingMessage) // nothing was read
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
    socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`)
  }

  return {
    /** Malformed HTTP, too large headers, and timeouts. */
    connection(error: ConnectionError, socket: Socket): void {
      if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
      write(problemOf(error), socket)
    },
    /** A body that does not arrive. */
    late(socket: Socket): void {
      if (socket.writable) write(requestTimeout(), socket)
      socket.destroySoon()
    },
    /** An `Expect` other than 100-continue, which Node would answer itself. */
    expectationsOf(server: Server): void {
      server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
        const { status, headers, body } = refusal(expectationFailed(), request)
        response.writeHead(status, headers).end(body)
      })
    },
  }
}

function problemOf({ code }: ConnectionError): AppError {
  if (code === 'HPE_HEADER_OVERFLOW') return headersTooLarge()
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return requestTimeout()
  return invalidRequest({ detail: 'This is not a request that can be read' })
}
