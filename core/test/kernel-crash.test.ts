import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { LEASE_MS } from '../src/kernel/jobs/run.ts'
import { createTestCore, type TestCore } from '../src/testing/index.ts'
import { countProbes, inTenant, managedJob, manualJob, probe, until } from './probe-module.ts'

describe('jobs of a process that is killed', () => {
  let test: TestCore
  const children: ChildProcess[] = []

  beforeEach(async () => {
    test = await createTestCore({ modules: [probe], env: { WORKER_CONCURRENCY: '4' } })
  })
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL')
    await test.close()
  })

  function start(task: string): ChildProcess {
    const script = fileURLToPath(new URL('./kernel-worker.ts', import.meta.url))
    const { drop: _, ...urls } = test.database
    const child = spawn(process.execPath, [script, task, JSON.stringify(urls)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    children.push(child)
    return child
  }

  async function killWhileItWorks(): Promise<void> {
    const child = start('work')
    const [said] = await once(child.stdout!, 'data') // it is piped
    assert.equal(String(said), 'working\n')
    child.kill('SIGKILL')
    await once(child, 'exit')
  }

  const jobs = () => test.core.db.systemQuery('select * from tenant_jobs')

  it('finds a job whose process ended between the commit and the wake', async () => {
    const [, signal] = await once(start('enqueue'), 'exit')
    assert.equal(signal, 'SIGKILL')
    assert.equal((await jobs()).length, 1)
    await test.core.startWorker()
    await until('it ran', async () => (await countProbes(test.core, 'never woken')) === 1)
  })

  it('runs a managed job again whose process ended in the middle, its effect once', async () => {
    await inTenant(test.core, 'crash', (ctx) => ctx.enqueue(managedJob, { label: 'managed' }))
    await killWhileItWorks()
    assert.equal(await countProbes(test.core, 'managed'), 0, 'the effect went with the process')
    await test.core.startWorker()
    await new Promise((resolve) => setTimeout(resolve, 500))
    assert.equal(await countProbes(test.core, 'managed'), 0, 'its lease still holds')
    test.clock.advance(LEASE_MS + 1)
    await test.core.close()
    const other = await createTestCore({ modules: [probe], database: test.database, env: { WORKER_CONCURRENCY: '4' } })
    other.clock.advance(LEASE_MS + 1)
    await other.core.startWorker()
    await until('it ran', async () => (await other.core.db.systemQuery('select 1 from tenant_jobs')).length === 0)
    assert.equal(await countProbes(other.core, 'managed'), 1)
    await other.close()
  })

  it('runs a manual job again whose process ended in the middle: at least once', async () => {
    await inTenant(test.core, 'crash', (ctx) => ctx.enqueue(manualJob, { label: 'manual' }))
    await killWhileItWorks()
    assert.equal(await countProbes(test.core, 'manual'), 1)
    test.clock.advance(LEASE_MS + 1)
    await test.core.startWorker()
    await until('it ran', async () => (await jobs()).length === 0)
    assert.equal(await countProbes(test.core, 'manual'), 2)
  })
})
