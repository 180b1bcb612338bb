import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { HOURS } from '#kernel'
import type { TestCore } from '../../testing/index.ts'
import {
  asSuperuser,
  createOwner,
  createWebhooksCore,
  doneTo,
  type Owner,
  type Receiver,
  startReceiver,
  tryDue,
} from './webhooks.fixture.ts'

let core: TestCore
let receiver: Receiver
before(async () => {
  core = await createWebhooksCore({ env: { LOG_LEVEL: 'trace' } })
  receiver = await startReceiver()
})
after(async () => {
  await receiver?.close()
  await core?.close()
})

/** All that a tenant leaves anywhere: rows of every table, and the log. */
async function traces(): Promise<[place: string, text: string][]> {
  const tables = await asSuperuser<{ name: string }>(
    core,
    `select c.oid::regclass::text as name from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
     where c.relkind = 'r' and n.nspname in ('core', 'public', 'graphile_worker')`,
  )
  const rows = tables.map(
    async ({ name }): Promise<[string, string]> => [
      name,
      JSON.stringify(await asSuperuser(core, `select to_jsonb(t) as row from ${name} as t`)),
    ],
  )
  return [...(await Promise.all(rows)), ['the log', core.logs.join('')]]
}

/** A webhook that goes through whatever can happen to one. Returns what must not be found, and what was answered. */
async function live(owner: Owner, signature: 'v1' | 'v1a') {
  const headers = { Authorization: `Bearer hidden-${signature}-one` }
  const made = await owner.addWebhook(`${receiver.url}?key=in-the-query`, { signature, headers })
  const { id } = made
  const rotated = await owner.send('POST', `/webhooks/${id}/rotate-secret`, {})
  const answers = [await owner.send('PUT', `/webhooks/${id}`, { headers: { 'X-Other': `hidden-${signature}-two` } })]
  for (const reply of [200, 500, 'hang up', 410] as const) {
    receiver.answer(() => reply)
    answers.push(await owner.send('POST', `/webhooks/${id}/test`, {}))
    await owner.openStore()
    await owner.drain()
    answers.push(await owner.newest(id))
  }
  answers.push(await owner.look(id), await owner.send('GET', '/webhooks'), await owner.deliveries(id))
  await owner.send('PUT', `/webhooks/${id}`, { is_active: true })
  await asSuperuser(
    core,
    "update webhooks set is_active = false, disabled_reason = 'failing', off_since = $2, trial_at = $2 where id = $1",
    [id, core.clock.now()],
  )
  core.clock.advance(HOURS)
  await tryDue(core, owner.tenantId)
  await owner.send('PUT', `/webhooks/${id}`, { url: `${receiver.url}?key=another-in-the-query` })
  await owner.send('PUT', `/webhooks/${id}`, { headers: { Authorization: null } })
  return { id, made, rotated, answers: JSON.stringify(answers) }
}

describe('what is secret', () => {
  for (const signature of ['v1', 'v1a'] as const)
    test(`of a webhook of ${signature} is in no answer, log, record, job and table`, async () => {
      const owner = await createOwner(core)
      const { id, made, rotated, answers } = await live(owner, signature)
      const secrets =
        signature === 'v1'
          ? [made.secret, rotated.secret].map((each) => each.slice('whsec_'.length))
          : await Promise.all(['secret', 'previous_secret'].map((column) => seedOf(id, column)))
      const places = [...(await traces()), ['an answer', answers] as const]
      assert.ok(places.some(([, text]) => text.includes(new URL(receiver.url).pathname)))
      for (const [place, text] of places)
        for (const hidden of [...secrets, `hidden-${signature}-one`, `hidden-${signature}-two`])
          assert.equal(text.includes(hidden), false, `${hidden} is in ${place}`)
      // The URL itself is no secret of its webhook's row and answers, but of records and logs.
      for (const [place, text] of places)
        if (place !== 'an answer' && place !== 'webhooks')
          assert.equal(text.includes('in-the-query'), false, `the query is in ${place}`)
      assert.doesNotMatch(answers, /whsec_|whsk_|"secret"|"public_key"/)
    })

  /** The private half of a key, which leaves the server in no way but sealed. */
  async function seedOf(id: string, column: string): Promise<string> {
    const [row] = await asSuperuser(core, `select ${column} as sealed from webhooks where id = $1`, [id])
    const opened = core.core.secrets.openText(row?.sealed, `webhook:${id}`)
    assert.match(opened, /^whsk_/)
    return opened.slice('whsk_'.length)
  }
})

describe('the audit log', () => {
  test('tells of each change, without what is secret', async () => {
    const owner = await createOwner(core)
    receiver.answer(() => 200)
    const { id } = await owner.addWebhook(`${receiver.url}?key=x`, { headers: { 'X-Key': 'one' } })
    await owner.send('PUT', `/webhooks/${id}`, { headers: { 'X-Key': 'two' } })
    await owner.send('PUT', `/webhooks/${id}`, { headers: { 'X-Key': 'two' } })
    await owner.send('PUT', `/webhooks/${id}`, { url: `${receiver.url}?key=y` })
    await owner.send('PUT', `/webhooks/${id}`, { is_active: false, description: 'Off' })
    await owner.send('POST', `/webhooks/${id}/rotate-secret`, {})
    await owner.send('POST', `/webhooks/${id}/test`, {})
    await owner.send('DELETE', `/webhooks/${id}`)
    const actions = 'created updated updated updated secret_rotated tested deleted'.split(' ')
    assert.deepEqual(
      await doneTo(core, owner),
      actions.map((action) => `${action} by user`),
      'what changes nothing is not recorded',
    )
    const { data } = await owner.send('GET', '/audit?action=webhook.*&limit=100')
    const [created, headers, url, off, rotated] = data.toReversed()
    const redacted = { secret: '[redacted]', headers: '[redacted]', query: '[redacted]' }
    assert.partialDeepStrictEqual(created.new_values, { url: receiver.url, header_names: ['X-Key'], ...redacted })
    assert.deepEqual(headers.new_values, { headers: '[redacted]' })
    assert.equal(url.new_values.query, '[redacted]')
    assert.partialDeepStrictEqual(off.old_values, { is_active: true, description: null })
    assert.partialDeepStrictEqual(off.new_values, { is_active: false, description: 'Off' })
    assert.equal(rotated.new_values.secret, '[redacted]')
    for (const { resource_type, resource_id } of data) assert.deepEqual([resource_type, resource_id], ['webhook', id])
  })
})
