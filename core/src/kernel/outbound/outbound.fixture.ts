import assert from 'node:assert/strict'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, createServer as createSocketServer, type Server, type Socket } from 'node:net'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { OutboundError } from './outbound-error.ts'

/** Why a request comes to nothing; the message must name no address. */
export async function reasonOf(request: Promise<unknown>): Promise<string> {
  const error = await request.then(
    () => assert.fail('it was answered'),
    (error: unknown) => error,
  )
  assert.ok(error instanceof OutboundError, String(error))
  assert.doesNotMatch(error.message, /\d/)
  assert.equal(error.cause, undefined)
  return error.reason
}

/** A server on 127.0.0.1, on a port of its own unless told otherwise. */
export interface TestServer {
  port: number
  /** `http://127.0.0.1:<port>`, without a slash behind it. */
  url: string
  close(): Promise<void>
}

export const startHttp = (listener: RequestListener, at?: Partial<Place>): Promise<TestServer> =>
  started(createServer(listener), at)

/** Proves itself with the certificate below. */
export const startHttps = (listener: RequestListener): Promise<TestServer> =>
  started(createTlsServer({ key: KEY, cert: CERTIFICATE }, listener))

/** Speaks whatever `talk` makes of a connection. */
export const startRaw = (talk: (socket: Socket) => void): Promise<TestServer> => started(createSocketServer(talk))

/** Has this process trust the certificate while `work` goes on: other files of tests may follow in it. */
export async function trusting(work: () => Promise<void>): Promise<void> {
  const others = getCACertificates('default')
  setDefaultCACertificates([...others, CERTIFICATE])
  try {
    await work()
  } finally {
    setDefaultCACertificates(others)
  }
}

interface Place {
  host: string
  port: number
}

async function started(server: Server, { host = '127.0.0.1', port: wanted = 0 }: Partial<Place> = {}) {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {}).on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(wanted, host, resolve))
  const { port } = server.address() as AddressInfo // it listens on a port
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      for (const socket of sockets) socket.destroy()
    })
  return { port, url: `http://${host}:${port}`, close }
}

const KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgq0qn2hnglSDGZUkP
RDucwTsTmup8R9XogeKzIC7NBOKhRANCAAR/Zk/ONB4aUu3HDccnT7NnEIFUxjgS
5sT9eVAsM8LAO+wBCVKCRFEv237nmOh33yyqCURBr/Ny7PjtX18S0yjP
-----END PRIVATE KEY-----
`

/** Signed by itself, for receiver.test, until 2126. */
export const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBrjCCAVWgAwIBAgIUeSQNItxLpHJB6lafPYPo/JqQb2QwCgYIKoZIzj0EAwIw
GDEWMBQGA1UEAwwNcmVjZWl2ZXIudGVzdDAgFw0yNjExMjUxMDA1MTVaGA8yMTI2
MTEwMTEwMDUxNVowGDEWMBQGA1UEAwwNcmVjZWl2ZXIudGVzdDBZMBMGByqGSM49
AgEGCCqGSM49AwEHA0IABH9mT840HhpS7ccNxydPs2cQgVTGOBLmxP15UCwzwsA7
7AEJUoJEUS/bfueY6HffLKoJREGv83Ls+O1fXxLTKM+jezB5MB0GA1UdDgQWBBSV
MemTfNFMplSq14fw8Hl6n92sOjAfBgNVHSMEGDAWgBSVMemTfNFMplSq14fw8Hl6
n92sOjAPBgNVHRMBAf8EBTADAQH/MCYGA1UdEQQfMB2CDXJlY2VpdmVyLnRlc3SC
DGhvb2suZXhhbXBsZTAKBggqhkjOPQQDAgNHADBEAiB1n4Vx61+TemuqDLGOudJg
BHgfO9YcY6OxY1bjU6M7dwIgVxLstXPL8Ef59phoUVFIzMDzcnxN8M64co+FyA+S
eA4=
-----END CERTIFICATE-----
`
