import { setTimeout as sleep } from 'node:timers/promises'
import { Closed, type Ctx, defineJob, defineModule, defineRoute, type Module, sql, Type } from '#kernel'
import { createTestCore, type TestCore, type TestCoreOptions, type TestPerson } from '../../testing/index.ts'
import { builtinModules } from '../index.ts'
import type { Load, LoadWindow } from './schema.ts'
import { loadWriter } from './writer.ts'

/** A core that counts, on a new database or as a further process on one that there is. */
export const createCounting = (options: TestCoreOptions = {}) =>
  createTestCore({ ...options, modules: [...builtinModules, heavy], env: { LOAD_BY_TENANT: 'on', ...options.env } })

const ok = { 200: Closed({ ok: Type.Boolean() }) }

/** Takes a while, in a transaction of its tenant; or fails. */
export const strain = defineJob('heavy.strain', {
  payload: Type.Object({ seconds: Type.Number(), fails: Type.Boolean() }),
  maxAttempts: 1,
  handler: async ({ tx }, { seconds, fails }) => {
    await sql`select pg_sleep(${seconds})`.execute(tx)
    if (fails) throw new Error('as it was to')
  },
})

/** How many jobs of a tenant run at the moment, in all cores of this process, and how many there were at most. */
export const atOnce = new Map<string, { running: number; most: number; done: number }>()

async function beSeen({ tenantId }: Ctx): Promise<void> {
  const seen = atOnce.get(tenantId) ?? { running: 0, most: 0, done: 0 }
  atOnce.set(tenantId, seen)
  seen.running++
  seen.most = Math.max(seen.most, seen.running)
  await sleep(100)
  seen.running--
  seen.done++
}

const seenJob = { payload: Type.Object({}), transaction: 'manual', handler: beSeen } as const // the word is a type
export const inner = defineJob('heavy.inner', seenJob)
export const outer = defineJob('heavy.outer', { ...seenJob, outbound: true })

/** What makes a tenant heavy, as much as a test says. */
export const heavy: Module = defineModule({
  name: 'heavy',
  jobs: [strain, inner, outer],
  routes: [
    defineRoute({
      method: 'POST',
      path: '/heavy/fail',
      name: 'failHeavily',
      summary: 'Fail',
      access: 'self',
      response: ok,
      handler: async () => {
        throw new Error('as it was to')
      },
    }),
  ],
})

/** What an operator sees, once every process has written down what it counted. */
export async function readLoad(
  cores: readonly TestCore[],
  operator: TestPerson,
  window: LoadWindow = '5m',
): Promise<Load> {
  for (const { core } of cores) await core.use(loadWriter).flush()
  const answer = await operator.get(`/admin/load?window=${window}`)
  if (answer.status !== 200) throw new Error(answer.text)
  return answer.body
}

/** What a tenant is shown with under each measure; 0 where it is not among the first. */
export const valuesOf = ({ by }: Load, tenantId: string) =>
  Object.fromEntries(
    Object.entries(by).map(([measure, shares]) => [
      measure,
      shares.find(({ tenant_id }) => tenant_id === tenantId)?.value ?? 0,
    ]),
  ) as Record<keyof Load['by'], number> // the same names
