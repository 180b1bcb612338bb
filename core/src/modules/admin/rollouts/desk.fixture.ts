import { momentAt, type OperatorRole } from '#kernel'
import {
  type Answered,
  createTestCore,
  type TestCore,
  type TestPerson,
  type TestTenant,
} from '../../../testing/index.ts'
import { builtinModules } from '../../index.ts'
import { printShop } from '../../subscriptions/subscriptions.fixture.ts'
import { operatorsOf } from '../admin.fixture.ts'

const options = { modules: [...builtinModules, printShop], rateLimits: true, env: { RATE_LIMIT_FACTOR: '10' } }

/** Two processes on one database, operators, and a tenant with a plan that they give this and that beside it. */
export type Desk = Awaited<ReturnType<typeof openDesk>>

export async function openDesk() {
  const test = await createTestCore(options)
  const other = await createTestCore({ ...options, database: test.database })
  const operators: Record<OperatorRole, TestPerson> = await operatorsOf(test)
  const shop = await test.foundTenant({ plan: 'starter' })
  const put = (body: object, operator = operators.billing, { id } = shop) => operator.put(`/admin/tenants/${id}`, body)
  const send = async (core: TestCore, method: string, path: string, body?: object, { owner }: TestTenant = shop) =>
    core.request(method, `/api/v1${path}`, { token: await owner.token(), body })
  return {
    test,
    other,
    operators,
    shop,
    put,
    /** Sends as the owner of a tenant. */
    send,
    /** Gives a tenant limits in place of what its plan says. */
    limit: (limits_override: object, tenant = shop) => put({ limits_override }, operators.billing, tenant),
    inspect: async ({ id }: TestTenant = shop) => (await operators.support.get(`/admin/tenants/${id}`)).body,
    roll: (name: string, body: object) => operators.billing.put(`/admin/rollouts/${name}`, body),
    unroll: (name: string) => operators.billing.request('DELETE', `/admin/rollouts/${name}`),
    inFuture: (ms: number) => momentAt(test.clock.ms() + ms),
    /** How many a tenant may have, as it is told. */
    maxOf: async (name: string, tenant = shop) =>
      (await send(test, 'GET', '/subscriptions/current/usage', undefined, tenant)).body[name].max,
    /** How many requests a tenant may send in a minute, by the answer of one process. */
    policy: async (core: TestCore, tenant = shop) => {
      const { headers } = await send(core, 'GET', '/stores', undefined, tenant)
      return /"tenant";q=(\d+)/.exec(String(headers['ratelimit-policy']))?.[1]
    },
    /** Time stands still in both processes, so that something ends exactly at a moment. */
    whileTimeStands: async (work: () => Promise<void>) => {
      for (const { clock } of [test, other]) clock.stop()
      try {
        await work()
      } finally {
        for (const { clock } of [test, other]) clock.start()
      }
    },
    close: async () => {
      await other.close()
      await test.close()
    },
  }
}

/** Status and code of an answer. */
export const outcome = ({ status, body }: Pick<Answered, 'status' | 'body'>) =>
  status < 300 ? `${status}` : `${status} ${body.code}`

export const pointers = ({ errors = [] }: { errors?: { pointer: string }[] }) =>
  errors.map(({ pointer }) => pointer).sort()
