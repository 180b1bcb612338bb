import assert from 'node:assert/strict'
import { Closed, conflict, consume, defineModule, defineRoute, type Module, release, Type } from '#kernel'
import { runSchedule } from '../../kernel/jobs/schedules.ts'
import {
  type Answered,
  createTestCore,
  type TestCore,
  type TestCoreOptions,
  type TestTenant,
} from '../../testing/index.ts'
import { authModules } from '../auth/auth.fixture.ts'
import { nameTaken, Store, stores } from '../stores/index.ts'
import { openStore } from '../stores/operations.ts'
import { subscriptions } from './index.ts'
import { rollOver } from './life/renewal.ts'

export const FREE = '01900000-0000-7000-8000-000000000001'
export const STARTER = '01900000-0000-7000-8000-000000000002'
export const BUSINESS = '01900000-0000-7000-8000-000000000003'

const open = { access: { permission: 'print.make' } } as const // the literal is the type of access
const Made = Closed({ made: Type.Integer() })

/** What an application declares: a limit of each kind and a feature, two lines each, and routes that need them. */
export const printShop: Module = defineModule({
  name: 'print_shop',
  dependsOn: [stores],
  permissions: { 'print.make': 'Print' },
  limits: {
    branches: { title: 'Branches', counts: 'stores', plans: { free: 1, starter: 4 } },
    prints: { title: 'Prints', per: 'period', plans: { free: 2, starter: 10 } },
  },
  features: { colour: { title: 'Colour', plans: ['business'] }, staples: { title: 'Staples' } },
  routes: [
    defineRoute({
      method: 'POST',
      path: '/branches',
      summary: 'Open a branch',
      ...open,
      limit: 'branches',
      body: Closed({ name: Type.String({ minLength: 1 }) }),
      response: { 201: Store },
      errors: [nameTaken, conflict],
      handler: (ctx, { body }) => openStore(ctx, body),
    }),
    defineRoute({
      method: 'POST',
      path: '/prints',
      summary: 'Print a page, or fail',
      ...open,
      limit: 'prints',
      body: Closed({ jams: Type.Optional(Type.Boolean()) }),
      response: { 200: Made },
      errors: [conflict],
      handler: (_ctx, { body }) => {
        if (body.jams) throw conflict()
        return { made: 1 }
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/prints/many',
      summary: 'Print pages, in a transaction of its own',
      ...open,
      transaction: 'manual',
      limit: 'prints',
      body: Closed({ pages: Type.Integer(), jams: Type.Optional(Type.Boolean()) }),
      response: { 200: Made },
      errors: [conflict],
      handler: (ctx, { body }) =>
        ctx.transaction(async (ctx) => {
          if (body.jams) throw conflict()
          if (body.pages < 0) await release(ctx, 'prints', -body.pages)
          else await consume(ctx, 'prints', body.pages)
          return { made: body.pages }
        }),
    }),
    defineRoute({
      method: 'GET',
      path: '/colours',
      summary: 'See in colour',
      ...open,
      feature: 'colour',
      response: { 200: Made },
      handler: () => ({ made: 0 }),
    }),
    defineRoute({
      method: 'POST',
      path: '/colours',
      summary: 'Print in colour, or fail',
      ...open,
      feature: 'colour',
      body: Closed({ jams: Type.Optional(Type.Boolean()) }),
      response: { 200: Made },
      errors: [conflict],
      handler: (_ctx, { body }) => {
        if (body.jams) throw conflict()
        return { made: 1 }
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/own/prints',
      summary: 'Print for oneself',
      access: 'self',
      response: { 200: Made },
      handler: () => ({ made: 1 }),
    }),
  ],
})

export const testModules: readonly Module[] = [...authModules, subscriptions, printShop]

export const createShop = (options: TestCoreOptions = {}): Promise<TestCore> =>
  createTestCore({ modules: testModules, ...options })

/** A tenant in its trial, seen by its founder. */
export interface Customer extends Pick<TestTenant, 'member' | 'run'> {
  tenantId: string
  get(path: string, core?: TestCore): Promise<Answered>
  post(path: string, body?: unknown, core?: TestCore): Promise<Answered>
  put(path: string, body: unknown): Promise<Answered>
  remove(path: string): Promise<Answered>
  /** As `post` to a route of the subscription; fails unless it succeeds. */
  change(path: string, body?: unknown): Promise<Answered>
  /** Puts a payment method on file. */
  pay(): Promise<Answered>
  /** What was recorded of the subscription and its limits, oldest first. */
  history(): Promise<{ action: string; actor: string; new_values: Record<string, unknown> | null }[]>
}

export async function foundCustomer(test: TestCore): Promise<Customer> {
  const { id: tenantId, owner, member, run } = await test.foundTenant()
  const send = async (method: string, path: string, body?: unknown, core = test) =>
    core.request(method, `/api/v1${path}`, { token: await owner.token(), body })
  const customer: Customer = {
    tenantId,
    member,
    run,
    get: (path, core) => send('GET', path, undefined, core),
    post: (path, body, core) => send('POST', path, body, core),
    put: (path, body) => send('PUT', path, body),
    remove: (path) => send('DELETE', path),
    change: async (path, body) => succeeded(await send('POST', `/subscriptions/current/${path}`, body)),
    pay: async () =>
      succeeded(
        await send('PUT', '/subscriptions/current/payment-method', { type: 'card', label: 'Visa', last4: '4242' }),
      ),
    history: () =>
      test.core.db.systemQuery(
        `select action, actor_type as actor, new_values from audit_logs
         where tenant_id = $1 and resource_type in ('subscription', 'limit') order by id`,
        [tenantId],
      ),
  }
  return customer
}

export function succeeded(answer: Answered): Answered {
  assert.ok(answer.status < 300, `${answer.status} ${answer.text}`)
  return answer
}

/** Status and code of an answer. */
export const outcome = ({ status, body }: Answered) => (status < 300 ? `${status}` : `${status} ${body.code}`)

/** Does what the schedule does every ten minutes. */
export const runRollOver = ({ core }: Pick<TestCore, 'core'>): Promise<void> => runSchedule(core, rollOver)

/** The subscription as it is stored. */
export async function storedOf({ core }: TestCore, tenantId: string) {
  const [row] = await core.db.systemQuery('select * from subscriptions where tenant_id = $1', [tenantId])
  assert.ok(row)
  return row
}

/** Leaves a tenant as if it had been founded by a process that knows nothing of subscriptions. */
export async function takeSubscription({ core }: TestCore, { tenantId }: Pick<Customer, 'tenantId'>): Promise<void> {
  await core.db.systemQuery('delete from subscriptions where tenant_id = $1', [tenantId])
  await core.db.systemQuery('delete from person_trials')
}
