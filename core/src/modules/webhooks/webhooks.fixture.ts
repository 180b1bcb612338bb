import assert from 'node:assert/strict'
import { createPublicKey, verify } from 'node:crypto'
import type { Core, Method } from '#kernel'
import { runSchedule } from '../../kernel/jobs/schedules.ts'
import { drainJobs } from '../../testing/drain-jobs.ts'
import {
  createTestCore,
  type TenantOptions,
  type TestCore,
  type TestCoreOptions,
  type TestPerson,
} from '../../testing/index.ts'
import { asSuperuser } from '../audit/audit.fixture.ts'
import type { Received } from '../audit-sinks/audit-sinks.fixture.ts'
import { openStore } from '../stores/operations.ts'
import { findTrials } from './deliveries/trial.ts'

export { asSuperuser } from '../audit/audit.fixture.ts'
export {
  isSignedBy,
  type Received,
  type Receiver,
  type Reply,
  startReceiver,
} from '../audit-sinks/audit-sinks.fixture.ts'

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
  /** Lets as much happen, all at once. */
  openStores(count: number): Promise<void>
  /** What is on its way to a webhook, or was. */
  // biome-ignore lint/suspicious/noExplicitAny: as above
  deliveries(id: string, query?: string): Promise<any[]>
  /** The newest of these, with each attempt. */
  // biome-ignore lint/suspicious/noExplicitAny: as above
  newest(id: string): Promise<any>
  /** A webhook as it is now. */
  // biome-ignore lint/suspicious/noExplicitAny: as above
  look(id: string): Promise<any>
  /** Sends all that is due now. */
  drain(): Promise<void>
}

let made = 0

/** Default: on a plan without limits, so that as much as a test likes can happen. */
export async function createOwner(test: TestCore, options: TenantOptions = { plan: 'business' }): Promise<Owner> {
  const { id: tenantId, owner, run } = await test.foundTenant(options)
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
    openStores: (count) =>
      run(async (ctx) => {
        for (let index = 0; index < count; index++) await openStore(ctx, { name: `Store ${++made}` })
      }),
    deliveries: async (id, query = '') => (await send('GET', `/webhooks/${id}/deliveries${query}`)).data,
    newest: async (id) => {
      const { data } = await send('GET', `/webhooks/${id}/deliveries?limit=1`)
      return send('GET', `/webhooks/${id}/deliveries/${data[0]?.id ?? assert.fail('there is none')}`)
    },
    look: (id) => send('GET', `/webhooks/${id}`),
    drain: () => test.drainJobs(tenantId),
  }
}

/** What each minute brings: receivers of webhooks that switched themselves off are tried. */
export async function tryDue({ core }: { core: Core }, tenantId: string): Promise<void> {
  await runSchedule(core, findTrials)
  await drainJobs(core, tenantId)
}

/** Whether a request bears a signature of `v1a` by the private half of a public key (`whpk_…`) that was shown. */
export function isSignedByKey(publicKey: string, { id, timestamp, body, signatures }: Received): boolean {
  const x = Buffer.from(publicKey.slice('whpk_'.length), 'base64').toString('base64url')
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
  const made = signatures.split(' ').flatMap((each) => (each.startsWith('v1a,') ? [each.slice('v1a,'.length)] : []))
  const text = Buffer.from(`${id}.${timestamp}.${body}`)
  return made.some((each) => verify(null, text, key, Buffer.from(each, 'base64')))
}

/** What records say that was done about webhooks, by whom, oldest first. */
export async function doneTo(test: TestCore, { tenantId }: Owner): Promise<string[]> {
  const rows = await asSuperuser<{ action: string; actor_type: string }>(
    test,
    "select action, actor_type from audit_logs where tenant_id = $1 and action like 'webhook.%' order by id",
    [tenantId],
  )
  return rows.map(({ action, actor_type }) => `${action.slice('webhook.'.length)} by ${actor_type}`)
}
