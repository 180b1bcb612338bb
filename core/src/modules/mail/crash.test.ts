import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { MINUTES } from '#kernel'
import { createTestCore, type TestCore } from '../../testing/index.ts'
import { mail } from './index.ts'
import { letters, noticeMail } from './letters.fixture.ts'
import { type Peer, startPeer } from './peer.fixture.ts'

let core: TestCore
let peer: Peer
let child: ChildProcess | undefined
before(async () => {
  peer = await startPeer()
  const env = { SMTP_URL: peer.url, MAIL_FROM: 'Test <test@example.com>' }
  core = await createTestCore({ modules: [mail, letters], env })
})
after(async () => {
  child?.kill('SIGKILL')
  await core.close()
  await peer.close()
})

function startWorker(): ChildProcess {
  const script = fileURLToPath(new URL('./send-worker.fixture.ts', import.meta.url))
  const { drop: _, ...urls } = core.database
  const ahead = String(core.clock.ms() - Date.now())
  return spawn(process.execPath, [script, JSON.stringify(urls), ahead, peer.url], {
    stdio: ['ignore', 'inherit', 'inherit'],
  })
}

const read = async () => {
  const [row] = await core.core.db.systemQuery('select status, attempts, claimed_by from global_mails')
  return { ...Object(row) }
}

test('a process that dies while it sends loses no mail, and one that is sent twice is known by its Message-ID', async () => {
  await core.core.run((ctx) => ctx.mail(noticeMail, { to: 'ann@example.com', data: { at: ctx.clock.now() } }))
  // It dies before the server has taken the mail, then another one after that and before it knows.
  for (const isTaken of [false, true]) {
    const dying = Promise.withResolvers<void>()
    peer.onMail(async () => {
      child?.kill('SIGKILL')
      dying.resolve()
      if (!isTaken) throw new Error('the connection broke')
    })
    child = startWorker()
    await dying.promise
    await once(child, 'exit')
    const { status, claimed_by } = await read()
    assert.equal(status, 'queued')
    assert.notEqual(claimed_by, null)
    core.clock.advance(2 * MINUTES)
  }
  peer.onMail(async () => {})
  await core.drainJobs(null)
  assert.deepEqual(await read(), { status: 'sent', attempts: 3, claimed_by: null })
  const ids = peer.received.map(({ raw }) => /^Message-ID:\s*(<[^>]+>)/im.exec(raw)?.[1])
  assert.equal(ids.length, 2)
  assert.equal(new Set(ids).size, 1)
})

test('a process that dies among many mails sends those again that it had not written down, and no other', async () => {
  peer.reset()
  const to = Array.from({ length: 30 }, (_, n) => `p${n}@example.com`)
  await core.core.run(async (ctx) => {
    for (const each of to) await ctx.mail(noticeMail, { to: each, data: { at: ctx.clock.now() } })
  })
  const dying = Promise.withResolvers<void>()
  peer.onMail(async () => {
    if (peer.received.length < 22) return
    child?.kill('SIGKILL')
    dying.resolve()
    throw new Error('the connection broke')
  })
  child = startWorker()
  await dying.promise
  await once(child, 'exit')
  const sent = await core.core.db.systemQuery<{ to: string }>(
    `select "to" from global_mails where status = 'sent' and "to" like 'p%'`,
  )
  const before = peer.received.length
  core.clock.advance(2 * MINUTES)
  peer.onMail(async () => {})
  await core.drainJobs(null)
  const later = peer.received.slice(before).map((mail) => mail.to)
  assert.deepEqual(later.toSorted(), to.filter((each) => !sent.some((row) => row.to === each)).toSorted())
  const known = peer.received.map(({ to, raw }) => `${to} ${/^Message-ID:\s*(<[^>]+>)/im.exec(raw)?.[1]}`)
  assert.equal(new Set(known).size, 30)
})
