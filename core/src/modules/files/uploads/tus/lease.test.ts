import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { after, afterEach, before, beforeEach, describe, it, mock } from 'node:test'
import type { TestCore, TestPerson, TestTenant } from '../../../../testing/index.ts'
import { until } from '../../../../testing/until.ts'
import { createFileCore, MiB } from '../../files.fixture.ts'
import { EXPIRES_MS, LEASE_MS, RENEW_MS, takeLease } from './lease.ts'
import { begun, isBeingSent, letters, offsetOf, patch, patchSlowly, type SlowPatch } from './tus.fixture.ts'

let test: TestCore
let tenant: TestTenant
let port: number
before(async () => {
  test = await createFileCore()
  await test.app.listen({ port: 0, host: '127.0.0.1' })
  port = (test.app.server.address() as AddressInfo).port // it listens on a port
})
after(() => test?.close())

let id: string
let slow: SlowPatch
beforeEach(async () => {
  tenant = await test.foundTenant()
  id = await begun(tenant.owner, 2 * MiB)
  mock.timers.enable({ apis: ['setInterval'] })
  slow = await patchSlowly({ port, who: tenant.owner }, { id, offset: 0, length: 2 * MiB })
  await slow.write(letters(100_000))
  await until('it writes', () => isBeingSent(test, id))
})

afterEach(() => mock.timers.reset())

/** Another request, at the offset that the upload has by now. */
const another = async (bytes: number) =>
  patch({ port, who: tenant.owner }, id, await offsetOf(tenant.owner, id), letters(bytes))

/** The time in which a writer shows life once passes. */
async function pass(isRenewed: boolean): Promise<void> {
  const before = await untilOf()
  test.clock.advance(RENEW_MS)
  mock.timers.tick(RENEW_MS)
  if (isRenewed) await until('the lease is renewed', async () => (await untilOf()) > before)
}

async function untilOf(): Promise<string> {
  const rows = await test.core.db.systemQuery<{ writer_until: string }>(
    'select writer_until from file_uploads where id = $1',
    [id],
  )
  return rows[0]?.writer_until ?? ''
}

describe('the right to send to an upload', () => {
  const take = (who: TestPerson, offset: number) =>
    tenant.run((ctx) =>
      takeLease(ctx.as({ type: 'user', id: who.userId, label: '', impersonatorId: null }), id, offset),
    )

  it('is given at its offset, to whoever began it, and before it ends', async () => {
    slow.request.destroy()
    await until('nobody writes', async () => !(await isBeingSent(test, id)))
    const offset = await offsetOf(tenant.owner, id)
    await assert.rejects(take(tenant.owner, offset + 1), { code: 'upload_offset_conflict' })
    await assert.rejects(take(await tenant.member({ role: 'owner' }), offset), { code: 'not_found' })
    assert.equal((await take(tenant.owner, offset)).received, offset)
    await assert.rejects(take(tenant.owner, offset), { code: 'upload_busy' })
    test.clock.advance(EXPIRES_MS + 1)
    await assert.rejects(take(tenant.owner, offset), { code: 'not_found' })
  })
})

describe('the lease of whoever sends to an upload', () => {
  it('is renewed while bytes arrive, however long that takes', async () => {
    for (let passed = 0; passed < 3 * LEASE_MS; passed += RENEW_MS) {
      await slow.write(letters(10_000))
      await pass(true)
    }
    assert.equal((await another(10)).status, 423)
    slow.request.destroy()
    await until('it has ended', async () => !(await isBeingSent(test, id)))
    assert.ok((await offsetOf(tenant.owner, id)) > 0, 'what arrived is kept')
  })

  it('runs out when nothing arrives of a client that may be gone, so that it can go on by another connection', async () => {
    await pass(true)
    // What was sent may still be arriving.
    await until('it has run out', async () => {
      await pass(false)
      return (await untilOf()) < test.clock.now()
    })
    const before = await offsetOf(tenant.owner, id)
    assert.equal((await another(50_000)).status, 204)
    slow.request.end(letters(2 * MiB - 100_000))
    assert.equal((await slow.answer).status, 409)
    assert.equal(await offsetOf(tenant.owner, id), before + 50_000)
  })

  it('that was taken ends the old request at once', async () => {
    await test.core.db.systemQuery('update file_uploads set writer = gen_random_uuid() where id = $1', [id])
    mock.timers.tick(RENEW_MS)
    await slow.write(letters(10))
    assert.equal((await slow.answer).status, 409)
    assert.equal(await offsetOf(tenant.owner, id), 0)
    assert.ok(await isBeingSent(test, id), 'by the other one')
  })
})
