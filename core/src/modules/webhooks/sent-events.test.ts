import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Value } from 'typebox/value'
import { DAYS } from '#kernel'
import type { TenantOptions, TestCore } from '../../testing/index.ts'
import { uploaded } from '../files/files.fixture.ts'
import { BUSINESS, runRollOver } from '../subscriptions/subscriptions.fixture.ts'
import { createOwner, createWebhooksCore, type Owner, type Receiver, startReceiver } from './webhooks.fixture.ts'

let core: TestCore
let receiver: Receiver
before(async () => {
  core = await createWebhooksCore()
  receiver = await startReceiver()
})
after(async () => {
  await receiver?.close()
  await core?.close()
})

interface Message {
  type: string
  store_id: string | null
  actor: { type: string; id: string | null; label: string }
  data: Record<string, unknown>
}

const came = (): Message[] => receiver.received.map(({ body }) => JSON.parse(body))
const typesSince = (count: number) =>
  came()
    .slice(count)
    .map(({ type }) => type)
    .sort()

/** Lets things happen; gives the names of what came of it, sorted, since messages take no order. */
async function namesOf(owner: Owner, happen: () => Promise<unknown>): Promise<string[]> {
  await owner.drain()
  const before = receiver.received.length
  await happen()
  await owner.drain()
  return typesSince(before)
}

async function listening(options?: TenantOptions): Promise<Owner> {
  const owner = await createOwner(core, options)
  await owner.addWebhook(receiver.url)
  return owner
}

async function invite(owner: Owner, email: string): Promise<string> {
  await owner.send('POST', '/users/invite', { email, name: 'Ida Invited' })
  await owner.drain()
  const [mail] = await core.mails(email)
  return decodeURIComponent(/\?token=([^\s]+)/.exec(mail?.text ?? '')?.[1] ?? assert.fail('no mail came'))
}

describe('what is sent', () => {
  test('is what happens to stores and roles', async () => {
    const owner = await listening()
    const made: { store?: { id: string }; role?: { id: string } } = {}
    const names = await namesOf(owner, async () => {
      made.store = await owner.openStore()
      await owner.send('PUT', `/stores/${made.store?.id}`, { phone: '+49 30 1' })
      made.role = await owner.send('POST', '/roles', { name: 'Clerk', scope: 'tenant', permissions: ['store.view'] })
      await owner.send('PUT', `/roles/${made.role?.id}`, { description: 'Sells' })
      await owner.send('DELETE', `/stores/${made.store?.id}`)
    })
    assert.deepEqual(names, ['role.changed', 'role.created', 'store.created', 'store.deleted', 'store.updated'])
    const changed = came().findLast(({ type }) => type === 'role.changed')
    assert.deepEqual(changed?.data, await owner.send('GET', `/roles/${made.role?.id}`))
    assert.deepEqual(await namesOf(owner, () => owner.send('DELETE', `/roles/${made.role?.id}`)), ['role.deleted'])
  })

  test('is what happens to people, by one name each', async () => {
    const owner = await listening()
    const email = `${crypto.randomUUID()}@example.com`
    let token = ''
    const invited = await namesOf(owner, async () => {
      token = await invite(owner, email)
    })
    assert.deepEqual(invited, ['user.invited'])
    const accept = { token, password: 'a long enough pass phrase', name: 'Ida Invited' }
    const joined = await namesOf(owner, async () => {
      const answer = await core.request('POST', '/api/v1/auth/accept-invite', { body: accept })
      assert.equal(answer.status, 200, answer.text)
    })
    assert.deepEqual(joined, ['role.assigned', 'user.created'], 'somebody who joins is a new user of the tenant')
    const { data } = came().findLast(({ type }) => type === 'user.created') ?? assert.fail('it did not come')
    assert.deepEqual([data.email, data.status], [email, 'active'])
    const change = () => owner.send('PUT', `/users/${data.id}`, { job_title: 'Baker' })
    assert.deepEqual(await namesOf(owner, change), ['user.updated'])
    assert.equal(came().at(-1)?.data.job_title, 'Baker')

    const { data: roles } = await owner.send('GET', '/roles?limit=100')
    const staff = roles.find(({ name }: { name: string }) => name === 'staff').id
    const assign = () => owner.send('POST', `/users/${data.id}/roles`, { role_id: staff })
    assert.deepEqual(await namesOf(owner, assign), ['role.assigned'])
    const unassign = () => owner.send('DELETE', `/users/${data.id}/roles/${staff}`)
    assert.deepEqual(await namesOf(owner, unassign), ['role.unassigned'])
    assert.deepEqual(await namesOf(owner, () => owner.send('DELETE', `/users/${data.id}`)), ['user.deleted'])

    const add = () =>
      owner.send('POST', '/users', {
        email: `${crypto.randomUUID()}@example.com`,
        name: 'Nora New',
        password: 'a long enough pass phrase',
      })
    assert.deepEqual(await namesOf(owner, add), ['role.assigned', 'user.created'])
    const inside = came().filter(({ type }) => /^member|^user\.(?:joined|removed)|^role\.updated/.test(type))
    assert.deepEqual(inside, [], 'names of the code stay inside')
  })

  test('is what happens to files', async () => {
    const owner = await listening()
    let id = ''
    const names = await namesOf(owner, async () => {
      id = (await uploaded(owner)).id
      await owner.send('PUT', `/files/${id}`, { filename: 'other.txt' })
      await owner.send('DELETE', `/files/${id}`)
      await owner.send('POST', `/files/${id}/restore`)
      await owner.send('DELETE', `/files/${id}`)
    })
    assert.deepEqual(names, ['file.created', 'file.restored', 'file.trashed', 'file.trashed', 'file.updated'])
    assert.deepEqual(await namesOf(owner, () => owner.send('DELETE', '/files/trash')), ['file.deleted'])
    const files = came().filter(({ data }) => data.id === id)
    assert.equal(files.length, 6)
    for (const { data } of files) assert.equal('storage_path' in data, false)
  })

  test('is what happens to a subscription, by whomever', async () => {
    const owner = await listening()
    const cancel = () => owner.send('POST', '/subscriptions/current/cancel', { at_period_end: false })
    assert.deepEqual(await namesOf(owner, cancel), ['subscription.canceled'])
    const other = await listening({})
    const move = () => other.send('POST', '/subscriptions/current/change-plan', { plan_id: BUSINESS })
    assert.deepEqual(await namesOf(other, move), ['subscription.changed'])
    core.clock.advance(15 * DAYS)
    assert.deepEqual(await namesOf(other, () => runRollOver(core)), ['subscription.expired'])
    const last = came().at(-1)
    assert.deepEqual([last?.actor.type, last?.actor.id], ['system', null])
  })

  test('is nothing else than the catalogue says, each with data that it describes', async () => {
    const owner = await createOwner(core)
    const { data } = await owner.send('GET', '/webhooks/events')
    const catalogue = new Map(data.map((each: { name: string }) => [each.name, each]))
    assert.deepEqual([...catalogue.keys()], [...new Set(came().map(({ type }) => type))].sort(), 'each was provoked')
    for (const { name, schema, sample } of data) {
      assert.deepEqual([...Value.Errors(schema, sample.data)], [], `the sample of ${name}`)
      for (const each of came().filter(({ type }) => type === name))
        assert.deepEqual([...Value.Errors(schema, each.data)], [], name)
      assert.equal(sample.type, name)
    }
  })
})
