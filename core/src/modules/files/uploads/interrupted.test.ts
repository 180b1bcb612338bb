import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { HOURS } from '#kernel'
import type { TestCore, TestTenant } from '../../../testing/index.ts'
import { until } from '../../../testing/until.ts'
import { assertNothingLeft, createFileCore, holdings, MiB, setQuota, text } from '../files.fixture.ts'
import { beginSlowly, type FileProcess, sendForm, startProcess } from '../files-processes.fixture.ts'
import { giveUpExpired } from './upkeep.ts'

let test: TestCore
let tenant: TestTenant
let port: number
const processes: FileProcess[] = []
before(async () => {
  test = await createFileCore()
  await test.app.listen({ port: 0, host: '127.0.0.1' })
  port = (test.app.server.address() as AddressInfo).port // it listens on a port
})
after(async () => {
  for (const { child } of processes) child.kill('SIGKILL')
  await test?.close()
})

const start = async (env: object = {}, most?: number): Promise<FileProcess> => {
  const started = await startProcess(test, env, most)
  processes.push(started)
  return started
}

const form = (bytes: number) => ({ fields: {}, file: text(Buffer.alloc(bytes, 'a')) })

/** An upload that has begun to arrive, of 4 MiB. */
async function underWay(at: number, hasLength = true) {
  tenant = await test.foundTenant()
  const slow = await beginSlowly({ port: at, who: tenant.owner, form: form(4 * MiB), hasLength })
  await slow.send(slow.payload.subarray(0, 2 * MiB))
  await until('it is under way', async () => (await holdings(test, tenant.id)).uploads === 1)
  return slow
}

describe('a disk that is full', () => {
  it('is 507, and nothing is half written', async () => {
    // No file larger than a megabyte, as if the disk had no room for more.
    const { port: at } = await start({}, 1_024)
    tenant = await test.foundTenant()
    const { status, body } = await sendForm({ port: at, who: tenant.owner, form: form(4 * MiB) })
    assert.deepEqual([status, body.code], [507, 'storage_full'])
    await assertNothingLeft(test, tenant)
    assert.equal((await sendForm({ port: at, who: tenant.owner, form: form(1_000) })).status, 201)
  })
})

describe('an upload of another process', () => {
  it('is downloaded here', async () => {
    const { port: at } = await start()
    tenant = await test.foundTenant()
    await setQuota(test, tenant, 100 * MiB)
    const { body } = await sendForm({ port: at, who: tenant.owner, form: form(5 * MiB) })
    const { text: content } = await tenant.owner.get(`/files/${body.id}/download`)
    assert.equal(content.length, 5 * MiB)
  })
})

// Last, since it moves the clock of this process alone.
describe('an upload that is interrupted', () => {
  it('by its client leaves neither row nor object nor quota', async () => {
    for (const hasLength of [true, false]) {
      const slow = await underWay(port, hasLength)
      slow.destroy()
      await until('it is given up', async () => (await holdings(test, tenant.id)).uploads === 0)
      await assertNothingLeft(test, tenant)
    }
  })

  it('by the end of its process leaves nothing once its time is over', async () => {
    const { child, port: at } = await start()
    const slow = await underWay(at)
    child.kill('SIGKILL')
    await once(child, 'exit')
    assert.equal((await slow.answer).status, 0)
    await test.runSchedule(giveUpExpired)
    assert.equal((await holdings(test, tenant.id)).uploads, 1, 'it might go on')
    test.clock.advance(1 * HOURS + 1)
    await test.runSchedule(giveUpExpired)
    await assertNothingLeft(test, tenant)
  })

  it('by its own length of time finds that it was given up, and leaves nothing', async () => {
    const slow = await underWay(port)
    // What still arrives puts its end off.
    await until('it is given up', async () => {
      test.clock.advance(2 * HOURS)
      await test.runSchedule(giveUpExpired)
      return (await holdings(test, tenant.id)).uploads === 0
    })
    // What has given it up removes it, before more of it comes to lie there.
    await test.drainJobs(tenant.id)
    await slow.send(slow.payload.subarray(2 * MiB))
    slow.end()
    const { status, body } = await slow.answer
    assert.deepEqual([status, body.code], [409, 'conflict'])
    await assertNothingLeft(test, tenant)
  })
})
