import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type AppError, type Ctx, newId } from '#kernel'
import type { TestCore } from '../../testing/index.ts'
import { findInvitation, splitInvitationToken, useInvitation } from './index.ts'
import { createMembersCore, found, join, readToken, roleId } from './members.fixture.ts'

const RIVALS = 20
let test: TestCore

before(async () => {
  test = await createMembersCore()
})
after(() => test.close())

type Tenant = Awaited<ReturnType<typeof found>>

async function owners(tenantId: string): Promise<string[]> {
  const rows = await test.core.run(
    ({ tx }) =>
      tx
        .selectFrom('role_assignments as a')
        .innerJoin('roles as r', (on) => on.onRef('r.tenant_id', '=', 'a.tenant_id').onRef('r.id', '=', 'a.role_id'))
        .innerJoin('members as m', (on) => on.onRef('m.tenant_id', '=', 'a.tenant_id').onRef('m.id', '=', 'a.user_id'))
        .select('m.id')
        .where('a.tenant_id', '=', tenantId)
        .where('r.key', '=', 'owner')
        .where('m.status', '=', 'active')
        .execute(),
    { tenantId },
  )
  return rows.map(({ id }) => id)
}

async function withOwners(): Promise<{ tenant: Tenant; people: { userId: string; token: string }[] }> {
  const tenant = await found(test.core)
  const people = [{ userId: tenant.userId, token: tenant.token }]
  while (people.length < RIVALS) people.push(await join(test.core, tenant.tenantId, 'owner'))
  return { tenant, people }
}

describe(`${RIVALS} owners who all leave at once`, () => {
  const ways: Record<string, (userId: string, owner: string) => [string, string, unknown?]> = {
    'by giving the role back': (id, owner) => ['DELETE', `/users/${id}/roles/${owner}`],
    'by ending the membership': (id) => ['DELETE', `/users/${id}`],
    'by being disabled': (id) => ['PUT', `/users/${id}`, { status: 'disabled' }],
  }
  for (const [how, way] of Object.entries(ways)) {
    it(`${how}: exactly one is left`, async () => {
      const { tenant, people } = await withOwners()
      const owner = await roleId(test.core, tenant.tenantId, 'owner')
      const answers = await Promise.all(
        people.map(({ userId, token }) => {
          const [method, url, body] = way(userId, owner)
          return test.request(method, `/api/v1${url}`, { token, body })
        }),
      )
      const refused = answers.filter(({ status }) => status >= 300)
      assert.deepEqual(
        refused.map(({ body }) => body.code),
        ['last_owner'],
      )
      assert.equal((await owners(tenant.tenantId)).length, 1)
    })
  }
})

describe('parallel invitations of one person', () => {
  it('make one, in one tenant', async () => {
    const { token } = await found(test.core)
    const body = { email: `${newId()}@example.com` }
    const answers = await Promise.all(
      Array.from({ length: RIVALS }, () => test.request('POST', '/api/v1/users/invite', { token, body })),
    )
    const statuses = answers.map(({ status }) => status).sort()
    assert.deepEqual(statuses, [201, ...Array(RIVALS - 1).fill(409)])
    const { body: list } = await test.request('GET', '/api/v1/users/invitations', { token })
    assert.equal(list.data.length, 1)
  })

  it('make one in each of several tenants, of one and the same person', async () => {
    const tenants = await Promise.all(Array.from({ length: 6 }, () => found(test.core)))
    const body = { email: `${newId()}@example.com` }
    const answers = await Promise.all(
      tenants.map(({ token }) => test.request('POST', '/api/v1/users/invite', { token, body })),
    )
    assert.deepEqual(
      answers.map(({ status }) => status),
      Array(6).fill(201),
    )
    assert.equal(new Set(answers.map((answer) => answer.body.user_id)).size, 1)
  })
})

describe('one invitation', () => {
  async function invited() {
    const tenant = await found(test.core)
    const email = `${newId()}@example.com`
    const { body } = await test.request('POST', '/api/v1/users/invite', { token: tenant.token, body: { email } })
    const link = await readToken(test, tenant.tenantId, email)
    const { hash } = splitInvitationToken(link)! // made by the module itself
    const work = async (ctx: Ctx) => {
      const invitation = await findInvitation(ctx.tx, tenant.tenantId, hash)
      if (!invitation) return 'unknown'
      await useInvitation(ctx, invitation)
      return 'joined'
    }
    const accept = () => test.core.run(work, { tenantId: tenant.tenantId }).catch((error: AppError) => error.code)
    return { tenant, invitation: body, accept }
  }

  it('is accepted once, however many try', async () => {
    const { tenant, invitation, accept } = await invited()
    const outcomes = await Promise.all(Array.from({ length: RIVALS }, accept))
    assert.deepEqual(outcomes.toSorted(), [...Array(RIVALS - 1).fill('invalid_token'), 'joined'])
    const { body } = await test.request('GET', `/api/v1/users/${invitation.user_id}/roles`, { token: tenant.token })
    assert.equal(body.data.length, 1)
  })

  it('is either accepted or revoked', async () => {
    for (let round = 0; round < 5; round++) {
      const { tenant, invitation, accept } = await invited()
      const url = `/api/v1/users/invitations/${invitation.id}`
      const [outcome, revoked] = await Promise.all([accept(), test.request('DELETE', url, { token: tenant.token })])
      assert.equal(revoked.status, outcome === 'joined' ? 404 : 204, `accepting ended with ${outcome}`)
      const { status } = await test.request('GET', `/api/v1/users/${invitation.user_id}`, { token: tenant.token })
      assert.equal(status, outcome === 'joined' ? 200 : 404)
    }
  })
})
