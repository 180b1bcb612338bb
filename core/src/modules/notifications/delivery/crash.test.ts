import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { fromNow, HOURS, MINUTES, newId } from '#kernel'
import { createTestCore, type TestCore } from '../../../testing/index.ts'
import { builtinModules } from '../../index.ts'
import { announce } from '../announcements/announce.ts'
import { announcementNotice } from '../kinds.ts'
import { listOf } from '../notifications.fixture.ts'
import { BATCH } from './audience.ts'
import { makeAlarms, offerNotice } from './gateway.fixture.ts'

let t: TestCore
let alarms: Awaited<ReturnType<typeof makeAlarms>>
before(async () => {
  alarms = await makeAlarms()
  t = await createTestCore({ modules: [...builtinModules, alarms.module] })
})
after(async () => {
  await t?.close()
  await alarms?.remove()
})

/** A process that works until it is killed before the nth statement of a kind; nobody else works meanwhile. */
async function dieBefore(pattern: string, nth: number): Promise<void> {
  const script = fileURLToPath(new URL('./tell-worker.fixture.ts', import.meta.url))
  const { drop: _, ...urls } = t.database
  const ahead = String(t.clock.ms() - Date.now())
  const child = spawn(process.execPath, [script, JSON.stringify(urls), ahead, pattern, String(nth)], {
    stdio: 'inherit',
  })
  const [, signal] = await once(child, 'exit')
  assert.equal(signal, 'SIGKILL')
}

/** Members past the front door, so that a crowd costs one statement. */
async function crowd(tenantId: string, size: number): Promise<void> {
  const { superuserUrl } = t.database
  assert.ok(superuserUrl)
  const now = t.clock.now()
  await t.core.db.systemQuery(
    `with people as (
       insert into users (id, created_at, updated_at, email, email_normalized, name, locale, timezone, two_factor_enabled, status)
       select gen_random_uuid(), $1, $1, 'p' || n || '@' || $3 || '.example', 'p' || n || '@' || $3 || '.example', 'P ' || n, 'en', 'UTC', false, 'active'
       from generate_series(1, $2::int) n returning id)
     insert into members (tenant_id, id, created_at, updated_at, name, status, joined_at)
     select $3::uuid, id, $1, $1, 'P', 'active', $1 from people returning 1`,
    [now, size, tenantId],
  )
}

const toldOf = (tenantId: string) =>
  t.core.db.systemQuery<{ user_id: string; n: number; unread: number }>(
    `select n.user_id, count(*)::int as n, max(c.unread) as unread from notifications n
     join notification_counts c on c.tenant_id = n.tenant_id and c.id = n.user_id
     where n.tenant_id = $1 group by n.user_id`,
    [tenantId],
  )

describe('a process that is killed while people are told', () => {
  test('leaves each of a crowd told once, in bounded transactions', async () => {
    const tenant = await t.foundTenant({ plan: 'business' })
    await crowd(tenant.id, BATCH + 20)
    const data = { name: 'Offer', until: fromNow(t.clock, 5 * HOURS) }
    await tenant.run((ctx) => ctx.notify(offerNotice, { data }))
    // The first batch is committed, and the second is being written.
    await dieBefore('^insert into "notifications"', 2)
    const half = await toldOf(tenant.id)
    assert.equal(half.length, BATCH)
    t.clock.advance(2 * MINUTES)
    await t.drainJobs(tenant.id)
    const all = await toldOf(tenant.id)
    assert.equal(all.length, BATCH + 21)
    assert.ok(all.every(({ n, unread }) => n === 1 && unread === 1))
  })

  test('neither loses nor doubles a mail', async () => {
    const tenant = await t.foundTenant({ plan: 'business' })
    await crowd(tenant.id, 5)
    await tenant.run((ctx) => ctx.notify(announcementNotice, { data: { title: 'Crash', message: 'None.' } }))
    await dieBefore('^insert into "(mails|tenant_jobs)"', 3)
    assert.equal((await toldOf(tenant.id)).length, 0, 'nobody is told in part')
    t.clock.advance(2 * MINUTES)
    await t.drainJobs(tenant.id)
    assert.equal((await toldOf(tenant.id)).length, 6)
    const mails = (await t.mails()).filter(({ subject }) => subject === 'Crash')
    assert.equal(mails.length, 6)
    assert.equal(new Set(mails.map(({ to }) => to)).size, 6)
  })

  test('neither leaves out nor tells twice what is announced to all', async () => {
    const tenants = [await t.foundTenant(), await t.foundTenant(), await t.foundTenant()]
    const drainAll = async () => {
      for (const { id } of tenants) await t.drainJobs(id)
    }
    await drainAll()
    const news = { title: `News ${newId()}`, message: 'For all.', type: 'info' } as const // the word is the type
    await t.core.run((ctx) => announce(ctx, news), { role: 'system', tenantId: null })
    // It has had all of them told, and has not written that down.
    await dieBefore('^update "announcements"', 1)
    t.clock.advance(2 * MINUTES)
    await drainAll()
    await t.drainJobs(null)
    await drainAll()
    for (const { owner } of tenants) {
      const told = (await listOf(owner)).filter(({ title }) => title === news.title)
      assert.equal(told.length, 1)
      assert.equal((await t.mails(owner.email)).filter(({ subject }) => subject === news.title).length, 1)
    }
  })
})
