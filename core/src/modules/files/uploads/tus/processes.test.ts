import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, describe, it } from 'node:test'
import type { TestCore, TestTenant } from '../../../../testing/index.ts'
import { until } from '../../../../testing/until.ts'
import { createFileCore, holdings, MiB, setQuota } from '../../files.fixture.ts'
import { type FileProcess, startProcess } from '../../files-processes.fixture.ts'
import { LEASE_MS } from './lease.ts'
import { begun, isBeingSent, letters, offsetOf, patch, patchSlowly, sha256 } from './tus.fixture.ts'
import { client } from './tus-client.fixture.ts'

const MOST = 400 * MiB
const env = { FILE_UPLOAD_MAX_SIZE: String(MOST) }
let test: TestCore
let tenant: TestTenant
let port: number
const processes: FileProcess[] = []
before(async () => {
  test = await createFileCore({ env })
  await test.app.listen({ port: 0, host: '127.0.0.1' })
  port = (test.app.server.address() as AddressInfo).port // it listens on a port
})
after(async () => {
  for (const { child } of processes) child.kill('SIGKILL')
  await test?.close()
})
beforeEach(async () => {
  tenant = await test.foundTenant()
  await setQuota(test, tenant, MOST)
})

const start = async (more: object = {}): Promise<FileProcess> => {
  const started = await startProcess(test, { ...env, ...more })
  processes.push(started)
  return started
}
const addressOf = (id: string, at = port) => `http://127.0.0.1:${at}/api/v1/files/tus/${id}`

async function assertFile(id: string, content: Buffer): Promise<void> {
  const { status, body } = await tenant.owner.get(`/files/${id}`)
  assert.deepEqual([status, body.checksum_sha256, body.size], [200, sha256(content), content.length])
  await test.drainJobs(tenant.id)
  assert.deepEqual(await holdings(test, tenant.id), { files: 1, uploads: 0, used: content.length, objects: 1 })
}

describe('parallel requests', () => {
  it('at one offset, from two processes, are one that writes and others that do not', async () => {
    const other = await start()
    const contents = Array.from({ length: 20 }, () => letters(200_000))
    const id = await begun(tenant.owner, 400_000)
    const answers = await Promise.all(
      contents.map((content, at) => patch({ port: at % 2 ? port : other.port, who: tenant.owner }, id, 0, content)),
    )
    const won = answers.flatMap(({ status }, at) => (status === 204 ? at : []))
    assert.equal(won.length, 1, JSON.stringify(answers.map(({ status }) => status)))
    for (const { status } of answers) assert.ok([204, 409, 423].includes(status), String(status))
    assert.equal(await offsetOf(tenant.owner, id), 200_000)
    const rest = letters(200_000)
    assert.equal((await patch({ port, who: tenant.owner }, id, 200_000, rest)).status, 204)
    await assertFile(id, Buffer.concat([contents[won[0] ?? 0] ?? rest, rest]))
  })
})

// From here on the clock of this process is ahead of the others'.
describe('a process that is killed while an upload arrives', () => {
  it('takes nothing that was kept with it, and another process goes on once its lease has run out', async () => {
    const { child, port: at } = await start()
    const content = letters(40 * MiB)
    const id = await begun(tenant.owner, content.length)
    const slow = await patchSlowly({ port: at, who: tenant.owner }, { id, offset: 0, length: content.length })
    await slow.write(content.subarray(0, 20 * MiB))
    await until('a piece is kept', async () => (await offsetOf(tenant.owner, id)) > 0)
    const kept = await offsetOf(tenant.owner, id)
    assert.equal((await patch({ port, who: tenant.owner }, id, kept, content.subarray(kept))).status, 423)
    child.kill('SIGKILL')
    await once(child, 'exit')
    assert.equal((await slow.answer).status, 0)
    assert.equal(await offsetOf(tenant.owner, id), kept)
    test.clock.advance(LEASE_MS + 1)
    const { done } = await client({ port, who: tenant.owner }, content, { uploadUrl: addressOf(id) })
    await done
    await assertFile(id, content)
  })
})

describe('a writer whose lease was taken', () => {
  it('moves the offset no more, and what it wrote is not in the file', async () => {
    const content = letters(3 * MiB)
    const { port: at } = await start()
    const id = await begun(tenant.owner, content.length)
    const old = await patchSlowly({ port: at, who: tenant.owner }, { id, offset: 0, length: 2 * MiB })
    await old.write(letters(1 * MiB))
    await until('it writes', () => isBeingSent(test, id))
    test.clock.advance(LEASE_MS + 1)
    const place = { port, who: tenant.owner }
    assert.equal((await patch(place, id, 0, content.subarray(0, 1 * MiB))).status, 204)
    old.request.end(letters(1 * MiB))
    assert.ok([404, 409].includes((await old.answer).status))
    assert.equal(await offsetOf(tenant.owner, id), 1 * MiB)
    assert.equal((await patch(place, id, 1 * MiB, content.subarray(1 * MiB))).status, 204)
    await assertFile(id, content)
  })
})

describe('a large upload', () => {
  it('takes no more memory than a small one', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tus-large-'))
    try {
      const { child, port: at } = await start({ DATA_DIR: folder })
      const most = () => Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) / 1024
      const small = letters(20 * MiB)
      await (await client({ port: at, who: tenant.owner }, small)).done
      const before = most()
      const large = Buffer.alloc(300 * MiB, small)
      await (await client({ port: at, who: tenant.owner }, large)).done
      assert.ok(most() - before < 120, `${before} MiB became ${most()} MiB`)
      const [row] = await test.core.db.systemQuery<{ checksum_sha256: string }>(
        'select checksum_sha256 from files where tenant_id = $1 and size = $2',
        [tenant.id, large.length],
      )
      assert.equal(row?.checksum_sha256, sha256(large))
      child.kill('SIGKILL')
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })
})
