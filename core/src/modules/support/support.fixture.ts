import assert from 'node:assert/strict'
import { after, before, beforeEach } from 'node:test'
import { Closed, defineJob, defineModule, type Module, newId, type OperatorRole } from '#kernel'
import { createMemoryRates } from '../../kernel/rates/memory.ts'
import type { RateStore } from '../../kernel/rates/store.ts'
import { createTestCore, type TestCore, type TestPerson } from '../../testing/index.ts'
import { operatorsOf } from '../admin/admin.fixture.ts'
import { PASSWORD } from '../auth/auth.fixture.ts'
import { builtinModules } from '../index.ts'
import { type Peer, startPeer } from '../mail/peer.fixture.ts'

/** A job that fails for good at once. */
export const failingJob = defineJob('till.fail', {
  payload: Closed({}),
  maxAttempts: 1,
  handler: async () => {
    throw new Error('The till of Acme is jammed')
  },
})

/** Counts as a server does what tests of limits are about, and nothing else. */
function ratesOf(limited: ReadonlyMap<string, number | undefined>): RateStore {
  const memory = createMemoryRates()
  return {
    take: (counters) => {
      const { isAllowed, counts } = memory.take(
        counters.flatMap((counter) =>
          limited.has(counter.policy) ? [{ ...counter, max: limited.get(counter.policy) ?? counter.max }] : [],
        ),
      )
      const rest = [...counts]
      const unlimited = (leftMs: number) => ({ used: 1, leftMs })
      // A refusal names the policies of which as many were sent as there may be.
      const full = (max: number, leftMs: number) => ({ used: max, leftMs })
      const countOf = (policy: string, max: number) => {
        const count = limited.has(policy) ? rest.shift() : undefined
        return count && !isAllowed ? full(max, count.leftMs) : count
      }
      return {
        isAllowed,
        counts: counters.map(({ policy, max, windowMs }) => countOf(policy, max) ?? unlimited(windowMs)),
      }
    },
  }
}

/** A core that sends its mails to a mail server of the test's own, and somebody who looks into tickets. */
export interface Desk {
  test: TestCore
  peer: Peer
  operator: TestPerson
}

export const newEmail = () => `${newId()}@example.com`

/** For the tests of a file: the desk, and what they do all the time. */
export function useDesk(modules: readonly Module[] = []) {
  const limited = new Map<string, number | undefined>()
  const desk = {} as Desk // filled before the first test
  const operators = {} as Record<OperatorRole, TestPerson> // as above
  before(async () => {
    const peer = await startPeer()
    const till = defineModule({ name: 'till', jobs: [failingJob] })
    const test = await createTestCore({
      modules: [...builtinModules, till, ...modules],
      env: { SMTP_URL: peer.url, MAIL_FROM: 'Test <test@example.com>' },
      rates: ratesOf(limited),
    })
    Object.assign(operators, await operatorsOf(test))
    Object.assign(desk, { peer, test, operator: operators.support })
  })
  beforeEach(() => {
    desk.peer.reset()
    limited.clear()
  })
  after(async () => {
    await desk.test?.close()
    await desk.peer?.close()
  })

  /** What is answered about an address. */
  const ask = async (email: string, more: Record<string, string> = {}, by = desk.operator) => {
    const { status, body, text } = await by.get(`/admin/support?${new URLSearchParams({ email, ...more })}`)
    assert.equal(status, 200, text)
    return body
  }
  const send = async (method: string, path: string, body: unknown, token?: string) =>
    desk.test.request(method, `/api/v1${path}`, { body, token })
  return {
    desk,
    operators,
    ask,
    send,
    /** A rate limit that counts from here on, in this test, up to so many. */
    limit: (policy: string, max?: number) => void limited.set(policy, max),
    /** The first thing that is found about an address, and all the others. */
    async causes(email: string, more: Record<string, string> = {}): Promise<string[]> {
      return (await ask(email, more)).findings.map(({ code }: { code: string }) => code)
    },
    /** Somebody who has registered by the front door and has not opened a mail yet. */
    async register(email = newEmail()) {
      const fields = { email, password: PASSWORD, name: 'Ada Byron', tenant_name: 'Acme' }
      const { status, body, text } = await send('POST', '/auth/register', fields)
      assert.equal(status, 201, text)
      return { email, userId: body.user.id as string, tenantId: body.tenant.id as string, token: body.access_token }
    },
    login: (email: string, password: string, more: object = {}) =>
      send('POST', '/auth/login', { email, password, ...more }),
    /** The mails that have come for an address, after all jobs have run. */
    async mailsTo(email: string, tenantId: string | null = null) {
      await desk.test.drainJobs(tenantId)
      return desk.peer.received.filter(({ to }) => to === email).map(({ raw }) => raw)
    },
  }
}

/** The token of the link in a mail as it was sent. */
export function tokenIn(raw = ''): string {
  const text = raw.replace(/=\r?\n/g, '').replaceAll('=3D', '=')
  return decodeURIComponent(/\?token=([\w.~%-]+)/.exec(text)?.[1] ?? assert.fail('the mail has no link'))
}
