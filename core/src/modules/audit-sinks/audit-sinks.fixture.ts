import assert from 'node:assert/strict'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Webhook } from 'standardwebhooks'
import type { Core, Method } from '#kernel'
import { runSchedule } from '../../kernel/jobs/schedules.ts'
import { drainJobs } from '../../testing/drain-jobs.ts'
import { createTestCore, type TestCore, type TestCoreOptions, type TestPerson } from '../../testing/index.ts'
import { sealAll } from '../audit/seals/seal.fixture.ts'
import { findBacklog } from './backlog.ts'

export { asSuperuser } from '../audit/audit.fixture.ts'
export { recordMany, sealAll, sealedIds } from '../audit/seals/seal.fixture.ts'

export const createSinksCore = (options: Omit<TestCoreOptions, 'modules'> = {}): Promise<TestCore> =>
  createTestCore({ ...options, env: { RATE_LIMIT_FACTOR: '0', ...options.env } })

/** What came to a receiver in one request. */
export interface Received {
  /** Path and query. */
  url: string
  id: string
  signatures: string
  /** Of the signatures: the second that they are of. */
  timestamp: number
  headers: IncomingHttpHeaders
  body: string
  /** Ids of the records in their order. */
  records: string[]
}

/** How a receiver answers: with a status, with all that an answer has, or by hanging up. */
export type Reply = number | 'hang up' | { status: number; headers?: Record<string, string>; body?: string | Buffer }

export interface Receiver {
  url: string
  /** Every request, in order, whatever the answer. */
  received: Received[]
  /** How many requests wait for their answer now. */
  open(): number
  /** How the requests from now on are answered. Default: 200. */
  answer(reply: (request: Received) => Reply | Promise<Reply>): void
  close(): Promise<void>
}

/** A real HTTP server that takes batches. */
export async function startReceiver(): Promise<Receiver> {
  const received: Received[] = []
  let open = 0
  let reply: (request: Received) => Reply | Promise<Reply> = () => 200
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part)
    const body = Buffer.concat(parts).toString()
    const { headers } = request
    const came: Received = {
      url: request.url ?? '',
      id: String(headers['webhook-id']),
      signatures: String(headers['webhook-signature']),
      timestamp: Number(headers['webhook-timestamp']),
      headers,
      body,
      records: body.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line).id])),
    }
    received.push(came)
    open++
    response.once('close', () => open--)
    const answered = await reply(came)
    if (answered === 'hang up') return void response.destroy()
    const {
      status,
      headers: more,
      body: text = 'noted',
    } = typeof answered === 'number' ? { status: answered } : answered
    response.writeHead(status, { location: 'http://127.0.0.1:9/', ...more }).end(text)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo // it listens on a port
  return {
    url: `http://127.0.0.1:${port}/in`,
    received,
    open: () => open,
    answer: (next) => {
      reply = next
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** A tenant's owner, who may do everything with sinks. */
export interface Owner extends TestPerson {
  tenantId: string
  /** Sends a request and expects it to succeed. */
  // biome-ignore lint/suspicious/noExplicitAny: answers of every shape
  send(method: Method, path: `/${string}`, body?: unknown): Promise<any>
  /** A new sink. */
  // biome-ignore lint/suspicious/noExplicitAny: as above
  addSink(url: string, fields?: Record<string, unknown>): Promise<any>
}

export async function createOwner(test: TestCore): Promise<Owner> {
  const { id: tenantId, owner } = await test.foundTenant()
  await owner.token() // a sign-in is recorded: before what the test is about
  const send: Owner['send'] = async (method, path, body) => {
    const answer = await owner.request(method, path, { body })
    assert.ok(answer.status < 300, `${method} ${path}: ${answer.text}`)
    return answer.body
  }
  const addSink: Owner['addSink'] = (url, fields = {}) =>
    send('POST', '/audit/sinks', { url, from: 'beginning', ...fields })
  return { ...owner, tenantId, send, addSink }
}

/** What the minute brings: sinks that have a backlog get it, as far as their receivers let it. */
export async function sendDue({ core }: Pick<TestCore, 'core'>, tenantId: string): Promise<void> {
  await lookForBacklog(core)
  await drainJobs(core, tenantId)
}

export const lookForBacklog = (core: Core) => runSchedule(core, findBacklog)

/** Seals what the tenant has recorded so far, and has it sent. */
export async function sealAndSend(test: TestCore, { tenantId }: Owner): Promise<void> {
  await sealAll(test, tenantId)
  await sendDue(test, tenantId)
}

/** Whether one of the signatures is by that secret; times are the test's. */
export function isSignedBy(secret: string, { id, timestamp, body, signatures }: Received): boolean {
  return signatures.split(' ').includes(new Webhook(secret).sign(id, new Date(timestamp * 1000), body))
}

/** Records that came, each at its first arrival. */
export const firstArrivals = ({ received }: Receiver, taken: (request: Received) => boolean = () => true) => [
  ...new Set(received.filter(taken).flatMap(({ records }) => records)),
]
