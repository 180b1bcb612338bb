import assert, { partialDeepStrictEqual as has } from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Closed, defineMail, defineModule, newId, Timestamp } from '#kernel'
import { runDueJobs } from '../../kernel/jobs/run.ts'
import { createTestCore, type TestCore, type TestTenant } from '../../testing/index.ts'
import { messageFolder } from '../../testing/message-folder.ts'
import { builtinModules } from '../index.ts'
import { deliverMail } from './delivery.ts'
import { mail } from './index.ts'
import { letters, noticeMail, pausedMail, safetyMail } from './letters.fixture.ts'
import { type Peer, startPeer } from './peer.fixture.ts'
import { recordComplaint } from './suppressions.ts'

let isBroken = true
/** One whose module cannot say whether it is still of use. */
const brokenMail = defineMail('trouble.broken', {
  data: Closed({ at: Timestamp }),
  stillGood: async () => {
    if (isBroken) throw new Error('nobody knows')
    return true
  },
})
const trouble = defineModule({
  name: 'trouble',
  dependsOn: [mail],
  messages: messageFolder({ en: { 'mail.trouble.broken.subject': 'A note', 'mail.trouble.broken.body': 'Well.' } }),
  mails: [brokenMail],
})

let t: TestCore
let peer: Peer
let acme: TestTenant
before(async () => {
  peer = await startPeer()
  const env = { SMTP_URL: peer.url, MAIL_FROM: 'Test <test@example.com>' }
  t = await createTestCore({ modules: [...builtinModules, letters, trouble], env })
  acme = await t.foundTenant()
  await t.drainJobs(acme.id)
})
after(async () => {
  await t.close()
  await peer.close()
})

const newEmail = () => `${newId()}@example.com`
const post = async (to: string, kind = noticeMail) => {
  const id = await t.core.run((ctx) => ctx.mail(kind, { to, data: { at: ctx.clock.now() }, ifPaused: 'wait' }), {
    tenantId: acme.id,
  })
  assert.ok(id)
  return id
}
const read = async (id: string) => (await acme.owner.get(`/mails/${id}`)).body

describe('mails that leave together', () => {
  test('each come to their own end', async () => {
    const listed = newEmail()
    const first = await post(listed)
    await t.core.run((ctx) => recordComplaint(ctx, { id: first, address: listed }), { tenantId: acme.id })
    const [twice, gone, busy] = [newEmail(), newEmail(), newEmail()]
    peer.onRecipient((to) => {
      if (to === gone) return { code: 550, text: '5.1.1 No such user' }
      return to === busy ? { code: 451, text: '4.3.2 Later' } : null
    })
    const ids = {
      fine: await post(newEmail()),
      suppressed: await post(listed),
      safety: await post(listed, safetyMail),
      bounced: await post(gone),
      deferred: await post(busy),
      canceled: await post(newEmail()),
      turn: await post(twice, pausedMail),
      waits: await post(twice, pausedMail),
    }
    assert.equal((await acme.owner.post(`/mails/${ids.canceled}/cancel`)).status, 200)
    await t.drainJobs(acme.id)
    const found = Object.fromEntries(
      await Promise.all(Object.entries(ids).map(async ([name, id]) => [name, (await read(id)).status])),
    )
    assert.deepEqual(found, {
      fine: 'sent',
      suppressed: 'suppressed',
      safety: 'sent',
      bounced: 'bounced',
      deferred: 'deferred',
      canceled: 'canceled',
      turn: 'sent',
      waits: 'queued',
    })
    assert.match((await read(ids.fine)).server_reply, /^250/)
    assert.match((await read(ids.deferred)).server_reply, /^451 4\.3\.2/)
    assert.equal((await read(ids.deferred)).attempts, 1)
    t.clock.advance(20 * 60_000)
    peer.reset()
    await t.drainJobs(acme.id)
    assert.deepEqual([(await read(ids.waits)).status, (await read(ids.deferred)).status], ['sent', 'sent'])
  })

  test('leave although one among them cannot', async () => {
    peer.reset()
    const others = [newEmail(), newEmail(), newEmail()]
    const sent = [await post(others[0] ?? ''), await post(others[1] ?? '')]
    const broken = await post(newEmail(), brokenMail)
    sent.push(await post(others[2] ?? ''))
    const lost = await post(newEmail(), brokenMail)
    await t.drainJobs(acme.id)
    for (const id of sent) assert.equal((await read(id)).status, 'sent')
    has(await read(broken), { status: 'deferred', reason: 'unreadable', attempts: 1 })
    assert.deepEqual(peer.received.map(({ to }) => to).toSorted(), others.toSorted())
    await t.core.db.systemQuery(
      "update mails set failing_since = now() - interval '2 days' where id = $1 returning 1",
      [lost],
    )
    t.clock.advance(60_000)
    await t.drainJobs(acme.id)
    has(await read(lost), { status: 'failed', reason: 'unreadable', attempts: 2 })
    isBroken = false
    t.clock.advance(120_000)
    await t.drainJobs(acme.id)
    assert.equal((await read(broken)).status, 'sent')
  })

  test('say each what its own server reply was', async () => {
    peer.reset()
    const ids = await Promise.all(Array.from({ length: 12 }, () => post(newEmail())))
    await t.drainJobs(acme.id)
    const replies = new Set<string>()
    for (const id of ids) {
      const { status, attempts, sent_at, next_attempt_at, to, server_reply } = await read(id)
      replies.add(server_reply)
      assert.equal(server_reply, `250 OK: taken as number ${1 + peer.received.findIndex((mail) => mail.to === to)}`)
      assert.deepEqual({ status, attempts, next_attempt_at }, { status: 'sent', attempts: 1, next_attempt_at: null })
      assert.ok(sent_at)
    }
    assert.equal(replies.size, 12)
  })

  test('are written down by who still has them', async () => {
    peer.reset()
    const [kept, lost, refused] = [await post(newEmail()), await post(newEmail()), await post(newEmail())]
    const lostTo = (await read(lost)).to
    peer.onRecipient((to) => (to === lostTo ? null : { code: 451, text: '4.3.2 Later' }))
    peer.onMail(async () => {
      const taken = 'update mails set claimed_by = gen_random_uuid() where id = any($1) returning 1'
      await t.core.db.systemQuery(taken, [[lost, refused]])
    })
    await t.drainJobs(acme.id)
    assert.deepEqual([(await read(kept)).status, (await read(lost)).status], ['deferred', 'queued'])
    assert.equal(peer.received.length, 1)
  })

  test('leave the worker to others after a while where the mail server is slow', async () => {
    peer.reset()
    const ids = await Promise.all(Array.from({ length: 18 }, () => post(newEmail())))
    peer.onMail(() => sleep(1_100))
    const waits: number[] = []
    const stop = t.core.db.observe((sql, values) => {
      if (sql.includes('attempts - 1')) waits.push(values?.length ?? 0)
    })
    await t.drainJobs(acme.id)
    stop()
    assert.ok(waits.length > 0)
    for (const id of ids) {
      const { status, attempts } = await read(id)
      assert.deepEqual({ status, attempts }, { status: 'sent', attempts: 1 })
    }
    assert.equal(peer.received.length, ids.length)
  })

  test('leave once, however many jobs they have', async () => {
    peer.reset()
    peer.onRecipient(() => ({ code: 451, text: '4.3.2 Later' }))
    const to = newEmail()
    const id = await post(to)
    const came = () => peer.received.filter((mail) => mail.to === to).length
    const again = () => t.core.run((ctx) => ctx.enqueue(deliverMail, { id }), { tenantId: acme.id })
    await t.drainJobs(acme.id)
    const { next_attempt_at } = await read(id)
    await again()
    await t.drainJobs(acme.id)
    has(await read(id), { status: 'deferred', attempts: 1, next_attempt_at })
    peer.reset()
    t.clock.advance(60_000)
    const now = t.clock.now()
    await t.core.db.systemQuery(
      'update mails set claimed_by = gen_random_uuid(), updated_at = $2 where id = $1 returning 1',
      [id, now],
    )
    await again()
    await t.drainJobs(acme.id)
    assert.equal(came(), 0, 'another process is at it')
    t.clock.advance(130_000)
    await Promise.all([t.drainJobs(acme.id), t.drainJobs(acme.id)])
    has(await read(id), { status: 'sent', attempts: 2 })
    assert.equal(came(), 1)
  })

  test('among which one waits for its turn do not keep it waiting', async () => {
    peer.reset()
    const first = await post(newEmail())
    await t.drainJobs(acme.id)
    const { id } = (await acme.owner.post(`/mails/${first}/resend`, {})).body
    peer.onMail(() => sleep(300))
    for (let turn = 0; turn < 3; turn++) {
      await Promise.all(Array.from({ length: 20 }, () => post(newEmail())))
      await runDueJobs(t.core, acme.id, new AbortController().signal)
    }
    assert.equal((await read(id)).status, 'sent')
    peer.reset()
    await t.drainJobs(acme.id)
  })
})
