import assert from 'node:assert/strict'
import { type AddressInfo, connect } from 'node:net'
import { after, before, describe, it } from 'node:test'
import type { TestCore, TestTenant } from '../../../testing/index.ts'
import { until } from '../../../testing/until.ts'
import { createFileCore, text, uploaded } from '../files.fixture.ts'
import { text as bytes, keyOf } from '../upkeep/upkeep.fixture.ts'

let t: TestCore
let tenant: TestTenant
before(async () => {
  t = await createFileCore()
  tenant = await t.foundTenant()
  await t.app.listen({ port: 0, host: '127.0.0.1' })
})
after(() => t?.close())

/** What one connection says to a download and to a request behind it, until it ends. */
async function askTwice(id: string, headers = ''): Promise<string> {
  const token = await tenant.owner.token()
  const { port } = t.app.server.address() as AddressInfo // it listens on a port
  const head = (path: string, more: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\n${more}\r\n`
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    let answers = ''
    socket
      .on('data', (data) => {
        answers += data.toString('latin1')
      })
      .on('error', reject)
      .on('close', () => resolve(answers))
    socket.write(head(`/api/v1/files/${id}/download`, `Authorization: Bearer ${token}\r\n${headers}`))
    socket.write(head('/nowhere', 'Connection: close\r\n'))
  })
}

const statuses = (answers: string) => answers.match(/HTTP\/1\.1 \d+/g)
const missingAt = async (id: string) => (await tenant.owner.get(`/files/${id}`)).body.missing_at

describe('a download of what the storage has in another length', () => {
  for (const [what, content] of [
    ['shorter', 'XX'],
    ['longer', `${'X'.repeat(10)}HTTP/1.1 201 OK\r\ncontent-length: 4\r\n\r\nEVIL`],
  ] as const)
    it(`ends the connection, so that no other answer is taken for the rest of it, and the file is lost: ${what}`, async () => {
      const { id } = await uploaded(tenant.owner, text('0123456789'))
      await t.core.storage.write(keyOf(tenant.id, id), bytes(content))
      const answers = await askTwice(id)
      assert.ok(!answers.includes('EVIL') && (statuses(answers) ?? []).length <= 1, answers)
      await until('everybody is told', async () => (await missingAt(id)) !== null)
      assert.ok(t.logs.some((line) => line.includes('of another size than a file') && line.includes(id)))
    })

  it('is a part where the part is there', async () => {
    const { id } = await uploaded(tenant.owner, text('0123456789'))
    await t.core.storage.write(keyOf(tenant.id, id), bytes('012345'))
    const answers = await askTwice(id, 'Range: bytes=2-4\r\n')
    assert.deepEqual(statuses(answers), ['HTTP/1.1 206', 'HTTP/1.1 404'])
    assert.equal((statuses(await askTwice(id, 'Range: bytes=2-8\r\n')) ?? []).length, 1)
    await until('everybody is told', async () => (await missingAt(id)) !== null)
  })
})
