import assert from 'node:assert/strict'
import type { Core, Method } from '#kernel'
import { runSchedule } from '../../kernel/jobs/schedules.ts'
import { drainJobs } from '../../testing/drain-jobs.ts'
import { createTestCore, type TestCore, type TestCoreOptions, type TestPerson } from '../../testing/index.ts'
import { findTrials } from './deliveries/trial.ts'

export { asSuperuser } from '../audit/audit.fixture.ts'
export { isSignedBy, type Received, type Receiver, startReceiver } from '../audit-sinks/audit-sinks.fixture.ts'

export const createWebhooksCore = (options: TestCoreOptions = {}): Promise<TestCore> =>
  createTestCore({ ...options, env: { RATE_LIMIT_FACTOR: '0', ...options.env } })

/** A tenant's owner, who may do everything with webhooks. */
export interface Owner extends TestPerson {
  tenantId: string
  /** Sends a request and expects it to succeed. */
  // biome-ignore lint/suspicious/noExplicitAny: answers of every shape
  send(method: Method, path: `/${string}`, body?: unknown): Promise<any>
  /** A new webhook of all events. */
  // biome-ignore lint/suspicious/noExplicitAny: as above
  addWebhook(url: string, fields?: Record<string, unknown>): Promise<any>
  /** Lets something happen: a store is opened. */
  // biome-ignore lint/suspicious/noExplicitAny: as above
  openStore(name?: string): Promise<any>
  /** What is on its way to a webhook, or was. */
  // biome-ignore lint/suspicious/noExplicitAny: as above
  deliveries(id: string, query?: string): Promise<any[]>
  /** Sends all that is due now. */
  drain(): Promise<void>
}

let made = 0

export async function createOwner(test: TestCore): Promise<Owner> {
  const { id: tenantId, owner } = await test.foundTenant()
  const send: Owner['send'] = async (method, path, body) => {
    const answer = await owner.request(method, path, { body })
    assert.ok(answer.status < 300, `${method} ${path}: ${answer.text}`)
    return answer.body
  }
  return {
    ...owner,
    tenantId,
    send,
    addWebhook: (url, fields = {}) => send('POST', '/webhooks', { url, events: ['*'], ...fields }),
    openStore: (name = `Store ${++made}`) => send('POST', '/stores', { name }),
    deliveries: async (id, query = '') => (await send('GET', `/webhooks/${id}/deliveries${query}`)).data,
    drain: () => drainJobs(test.core, tenantId),
  }
}

/** What each minute brings: receivers of webhooks that switched themselves off are tried. */
export async function tryDue({ core }: { core: Core }, tenantId: string): Promise<void> {
  await runSchedule(core, findTrials)
  await drainJobs(core, tenantId)
}
