import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { after, before, describe, it } from 'node:test'
import type { TestCore, TestTenant } from '../../../testing/index.ts'
import { until } from '../../../testing/until.ts'
import { assertNothingLeft, createFileCore, holdings, MiB, setQuota, text, uploaded } from '../files.fixture.ts'
import { beginSlowly, type FileProcess, sendForm, startProcess } from '../files-processes.fixture.ts'
import { emptyTrash } from '../trash.ts'

const KiB = 1024
let test: TestCore
let tenant: TestTenant
let port: number
let other: FileProcess
before(async () => {
  test = await createFileCore()
  await test.app.listen({ port: 0, host: '127.0.0.1' })
  port = (test.app.server.address() as AddressInfo).port // it listens on a port
  other = await startProcess(test)
})
after(async () => {
  other?.child.kill('SIGKILL')
  await test?.close()
})

async function founded(quota: number): Promise<TestTenant> {
  tenant = await test.foundTenant()
  await setQuota(test, tenant, quota)
  return tenant
}

const form = (bytes: number) => ({ fields: {}, file: text(Buffer.alloc(bytes, 'a'), `${bytes}.txt`) })

describe('the quota', () => {
  it('is used up to its last byte, by as many uploads as fit and not one more, from two processes', async () => {
    const size = 300 * KiB
    for (const hasLength of [true, false]) {
      const { owner, id } = await founded(10 * size + 1)
      const answers = await Promise.all(
        Array.from({ length: 24 }, (_, at) =>
          sendForm({ port: at % 2 ? port : other.port, who: owner, form: form(size), hasLength }),
        ),
      )
      const by = (status: number) => answers.filter((answer) => answer.status === status)
      assert.deepEqual([by(201).length, by(402).length], [10, 14], JSON.stringify(answers.map(({ status }) => status)))
      for (const { body } of by(402))
        assert.partialDeepStrictEqual(body, { code: 'plan_limit_reached', limit: 'storage_bytes', max: 10 * size + 1 })
      await test.drainJobs(id)
      assert.deepEqual(await holdings(test, id), { files: 10, uploads: 0, used: 10 * size, objects: 10 })
    }
  })

  it('refuses an upload that announces more than is left before its bytes arrive', async () => {
    const { owner } = await founded(1 * MiB)
    const slow = await beginSlowly({ port, who: owner, form: form(4 * MiB) })
    await slow.send(slow.payload.subarray(0, 64 * KiB))
    const { status } = await slow.answer
    assert.equal(status, 402)
    slow.destroy()
    await assertNothingLeft(test, tenant)
  })

  it('is taken while an upload goes on, so that two cannot have the same', async () => {
    const { owner, id } = await founded(5 * MiB)
    const slow = await beginSlowly({ port, who: owner, form: form(4 * MiB) })
    await slow.send(slow.payload.subarray(0, 64 * KiB))
    await until('its quota is taken', async () => ((await holdings(test, id)).used ?? 0) > 3 * MiB)
    assert.equal((await sendForm({ port: other.port, who: owner, form: form(2 * MiB) })).status, 402)
    await slow.send(slow.payload.subarray(64 * KiB))
    slow.end()
    assert.equal((await slow.answer).status, 201)
    await test.drainJobs(id)
    assert.deepEqual(await holdings(test, id), { files: 1, uploads: 0, used: 4 * MiB, objects: 1 })
  })

  it('counts what is in the trash until it is emptied', async () => {
    const { owner, id, run } = await founded(1 * MiB)
    const file = await uploaded(owner, text(Buffer.alloc(MiB, 'a')))
    await owner.delete(`/files/${file.id}`)
    assert.equal((await sendForm({ port, who: owner, form: form(1) })).status, 402)
    await run((ctx) => emptyTrash(ctx))
    assert.equal((await sendForm({ port, who: owner, form: form(MiB) })).status, 201)
    await test.drainJobs(id)
    assert.deepEqual(await holdings(test, id), { files: 1, uploads: 0, used: MiB, objects: 1 })
  })

  it('does not let a tenant upload whose subscription has ended, who still downloads', async () => {
    const { owner } = await founded(10 * MiB)
    const file = await uploaded(owner)
    await owner.post('/subscriptions/current/cancel', { at_period_end: false })
    const { status, body } = await sendForm({ port, who: owner, form: form(1) })
    assert.deepEqual([status, body.code], [402, 'subscription_inactive'])
    assert.equal((await owner.get(`/files/${file.id}/download`)).status, 200)
  })

  it('is named when 80 and 100 parts in a hundred are in use, in megabytes', async () => {
    const { owner, id } = await founded(2_000_000)
    await uploaded(owner, text(Buffer.alloc(1_700_000, 'a')))
    await test.drainJobs(id)
    const [notice] = (await owner.get('/notifications')).body.data
    assert.match(notice.title, /^Storage \(MB\): 2 of 2 in use$/)
  })
})
