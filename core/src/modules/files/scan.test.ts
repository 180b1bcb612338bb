import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it } from 'node:test'
import { HOURS, newId } from '#kernel'
import { type ClamdPeer, contentOf, isWhole, startClamdPeer } from '../../kernel/scanning/clamd-peer.fixture.ts'
import { drainJobs, type TestCore, type TestTenant } from '../../testing/index.ts'
import { createFileCore, historyOf, holdings, text, uploaded } from './files.fixture.ts'
import { scanWaiting } from './scan.ts'
import { insertFiles } from './upkeep/upkeep.fixture.ts'

let peer: ClamdPeer
let test: TestCore
let tenant: TestTenant
/** What the scanner says to whatever it gets. */
let says: (content: Buffer) => string
const good = () => 'stream: OK'
before(async () => {
  peer = await startClamdPeer((socket, received) => {
    if (isWhole(received)) socket.end(`${says(contentOf(received) ?? Buffer.alloc(0))}\0`)
  })
  test = await createFileCore({ env: { CLAMAV_URL: peer.url } })
  tenant = await test.foundTenant()
  says = good
})
after(async () => {
  await test?.close()
  await peer?.close()
})
afterEach(() => {
  says = good
})

const download = (id: string) => tenant.owner.get(`/files/${id}/download`)
const statusOf = async (id: string) => (await tenant.owner.get(`/files/${id}`)).body.scan_status

/** Runs what is due, whatever becomes of it. */
const work = () => drainJobs(test.core, tenant.id)

describe('a scanner that is not there', () => {
  it('keeps every file locked away', async () => {
    const dead = await createFileCore({ database: test.database, env: { CLAMAV_URL: 'tcp://127.0.0.1:9' } })
    try {
      const answer = await dead.request('POST', '/api/v1/files', {
        token: await tenant.owner.token(),
        form: { file: text() },
      })
      assert.deepEqual([answer.status, answer.body.scan_status], [201, 'pending'])
      await drainJobs(dead.core, tenant.id)
      assert.equal((await download(answer.body.id)).status, 423)
    } finally {
      await dead.close()
    }
  })
})

// Last, since it moves the clock of this core alone.
describe('a file, where there is a scanner', () => {
  it('stays where it is until it was found clean, whoever asks and by whichever way', async () => {
    let seen = ''
    says = (content) => {
      seen = content.toString()
      return 'stream: OK'
    }
    const file = await uploaded(tenant.owner, text('Buy milk'), { is_public: true })
    assert.equal(file.scan_status, 'pending')
    const { url } = (await tenant.owner.post(`/files/${file.id}/link`, {})).body
    const ways = [`/api/v1/files/${file.id}/download`, new URL(url).pathname, new URL(file.url).pathname]
    const ask = async () =>
      Promise.all(ways.map(async (path) => test.request('GET', path, { token: await tenant.owner.token() })))
    for (const { status, body, headers } of await ask())
      assert.deepEqual([status, body.code, headers['retry-after']], [423, 'file_locked', '5'])
    await work()
    assert.equal(seen, 'Buy milk')
    for (const { status, text: content } of await ask()) assert.deepEqual([status, content], [200, 'Buy milk'])
    assert.equal(await statusOf(file.id), 'clean')
    assert.equal((await historyOf(test, file.id))[2], 'file.scanned')
  })

  it('in which something was found stays locked away, and is removed like any other', async () => {
    says = () => 'stream: Some.Worm FOUND'
    const { id } = await uploaded(tenant.owner)
    await work()
    assert.equal(await statusOf(id), 'infected')
    const { status, headers } = await download(id)
    assert.deepEqual([status, headers['retry-after']], [423, undefined])
    const rows = await test.core.db.systemQuery<{ resource_label: string }>(
      `select new_values from audit_logs where resource_id = $1 and action = 'file.scanned'`,
      [id],
    )
    assert.equal(rows.length, 1)
    await tenant.owner.delete(`/files/${id}`)
    await tenant.owner.delete('/files/trash')
    assert.equal((await tenant.owner.get(`/files/${id}`)).status, 404)
  })

  const broken: [name: string, says: () => string][] = [
    ['answers nonsense', () => 'stream: MAYBE'],
    ['says nothing', () => ''],
  ]
  for (const [name, answer] of broken)
    it(`stays locked away when the scanner ${name}, and is scanned when that is over`, async () => {
      says = answer
      const { id } = await uploaded(tenant.owner)
      await work()
      assert.equal(await statusOf(id), 'pending')
      assert.equal((await download(id)).status, 423)
      says = good
      test.clock.advance(1 * HOURS)
      await work()
      assert.equal((await download(id)).status, 200)
    })

  it('whose job was given up is scanned by the next run of the clock', async () => {
    says = () => 'stream: MAYBE'
    const { id } = await uploaded(tenant.owner)
    await test.core.db.systemQuery("delete from tenant_jobs where task = 'files.scan'")
    says = good
    test.clock.advance(8 * HOURS)
    await test.runSchedule(scanWaiting)
    await work()
    assert.equal(await statusOf(id), 'clean')
  })

  it('whose scan fails has one job, however often the clock looks', async () => {
    says = () => 'stream: MAYBE'
    const { id } = await uploaded(tenant.owner)
    for (let hour = 0; hour < 24; hour++) {
      test.clock.advance(1 * HOURS)
      await work()
      await test.runSchedule(scanWaiting)
    }
    const jobs = await test.core.db.systemQuery(
      "select from tenant_jobs where task = 'files.scan' and payload->>'id' = $1",
      [id],
    )
    assert.equal(jobs.length, 1)
  })

  it('that cannot be scanned lets all others have their turn before it is looked at again', async () => {
    const most = 1_000
    const ids = Array.from({ length: most + 1 }, () => newId())
    await insertFiles(test, tenant.id, ids, 'x')
    await test.core.db.systemQuery(
      "update files set scan_status = 'pending' where tenant_id = $1 and id = any($2::uuid[])",
      [tenant.id, ids],
    )
    test.clock.advance(8 * HOURS)
    await test.core.db.systemQuery("delete from tenant_jobs where task = 'files.scan'")
    const asked = async () => {
      await test.runSchedule(scanWaiting)
      const jobs = await test.core.db.systemQuery<{ id: string }>(
        "delete from tenant_jobs where task = 'files.scan' returning payload->>'id' as id",
      )
      return jobs.map(({ id }) => id).filter((id) => ids.includes(id))
    }
    const [first, second] = [await asked(), await asked()]
    assert.deepEqual([first.length + second.length, new Set([...first, ...second]).size], [most + 1, most + 1])
    await test.core.db.systemQuery('delete from files where id = any($1::uuid[])', [ids])
  })

  it('is scanned once more at most when it is gone, and leaves nothing', async () => {
    const { id } = await uploaded(tenant.owner)
    await tenant.owner.delete(`/files/${id}`)
    await tenant.owner.delete('/files/trash')
    await test.drainJobs(tenant.id)
    assert.equal((await holdings(test, tenant.id)).uploads, 0)
  })

  it('that is larger than the scanner takes stays locked, and is not sent again before a week is over', async () => {
    let sent = 0
    says = (content) => {
      if (content.toString() === 'A long story') sent++
      return 'INSTREAM size limit exceeded. ERROR'
    }
    const { id } = await uploaded(tenant.owner, text('A long story'))
    const week = async (hours: number) => {
      for (let left = hours; left > 0; left -= 12) {
        test.clock.advance(12 * HOURS)
        await test.runSchedule(scanWaiting)
        await work()
      }
    }
    await work()
    await week(6 * 24)
    assert.deepEqual([sent, await statusOf(id), (await download(id)).status], [1, 'pending', 423])
    await week(24)
    assert.equal(sent, 2)
    says = good
    await week(7 * 24)
    assert.equal(await statusOf(id), 'clean')
  })
})
