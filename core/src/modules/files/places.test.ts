import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { Closed, defineJob, defineModule, Type } from '#kernel'
import { startClamdPeer } from '../../kernel/scanning/clamd-peer.fixture.ts'
import { startS3Server } from '../../kernel/storage/s3-server.fixture.ts'
import { createTestCore, type TestCore, type TestTenant } from '../../testing/index.ts'
import { until } from '../../testing/until.ts'
import { builtinModules } from '../index.ts'
import { text, uploaded } from './files.fixture.ts'
import { bothStorages } from './upkeep/upkeep.fixture.ts'

/** Of jobs that are not outbound, in the worker of these tests. */
const PLACES = 3
const FILES = 8
/** Of outbound jobs there are five times as many, of which each of three tenants takes four. */
const TAKEN = 12

const done: string[] = []
const ordinary = defineJob('desk.work', {
  payload: Closed({ label: Type.String() }),
  handler: async (_ctx, { label }) => void done.push(label),
})
const desk = defineModule({ name: 'desk', jobs: [ordinary] })

const createWorkingCore = (env: Record<string, string>): Promise<TestCore> =>
  createTestCore({
    modules: [...builtinModules, desk],
    worker: true,
    env: { WORKER_CONCURRENCY: String(PLACES), ...env },
  })

const foundTenants = (t: TestCore): Promise<TestTenant[]> => Promise.all([1, 2, 3].map(() => t.foundTenant()))

async function requireOthersGoOn(t: TestCore, label: string): Promise<void> {
  const { id } = await t.foundTenant()
  await t.core.run((ctx) => ctx.enqueue(ordinary, { label }), { tenantId: id })
  await until('the work of another tenant is done', () => done.includes(label), 30_000)
}

describe('jobs that wait for what is silent', () => {
  it('keep no other work waiting: a scanner that takes connections and never answers', async (context: TestContext) => {
    const peer = await startClamdPeer(() => {})
    const t = await createWorkingCore({ CLAMAV_URL: peer.url })
    context.after(async () => {
      await peer.close()
      await t.close()
    })
    for (const { owner } of await foundTenants(t)) for (let n = 0; n < FILES; n++) await uploaded(owner, text(`${n}`))
    await until('every place that it may take is taken', () => peer.open() === TAKEN)
    await requireOthersGoOn(t, 'beside the scanner')
    assert.equal(peer.open(), TAKEN)
  })

  it('keep no other work waiting: a storage that takes connections and never answers', async (context: TestContext) => {
    const s3 = await startS3Server()
    const t = await createWorkingCore(bothStorages(s3, 's3'))
    const held = new Set<() => void>()
    context.after(async () => {
      s3.intercept(null)
      for (const end of held) end()
      await t.close()
      await s3.close()
    })
    const tenants = await foundTenants(t)
    for (const { owner } of tenants)
      for (let n = 0; n < FILES; n++) await owner.delete(`/files/${(await uploaded(owner, text(`${n}`))).id}`)
    s3.intercept(({ method }, response) => {
      if (method !== 'DELETE') return false
      held.add(() => response.destroy())
      return true
    })
    for (const { owner } of tenants) await owner.delete('/files/trash')
    await until('every place that it may take is taken', () => held.size === TAKEN)
    await requireOthersGoOn(t, 'beside the storage')
    assert.equal(held.size, TAKEN)
  })

  const WAITING = [
    'audit.remove_expired',
    'files.delete_object',
    'files.retire_copy',
    'files.scan',
    'pictures.delete',
    'pictures.delete_copies',
  ]
  it('have places of their own, all of them', async (context: TestContext) => {
    const t = await createTestCore()
    context.after(() => t.close())
    for (const name of WAITING) assert.equal(t.core.registry.findJob(name)?.outbound, true, name)
  })
})
