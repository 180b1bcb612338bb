import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type AppError, type Ctx, type Method, newId } from '#kernel'
import type { TestCore, TestPerson, TestTenant } from '../../testing/index.ts'
import { createAuthCore } from '../auth/auth.fixture.ts'
import { findInvitation, splitInvitationToken, useInvitation } from './index.ts'
import { readToken, roleId } from './members.fixture.ts'

const RIVALS = 20
let test: TestCore

before(async () => {
  test = await createAuthCore()
})
after(() => test.close())

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

async function withOwners(): Promise<{ tenant: TestTenant; people: TestPerson[] }> {
  const tenant = await test.foundTenant()
  const people = [tenant.owner]
  while (people.length < RIVALS) people.push(await tenant.member({ role: 'owner' }))
  return { tenant, people }
}

describe(`${RIVALS} owners who all leave at once`, () => {
  const ways: Record<string, (userId: string, owner: string) => [Method, `/${string}`, unknown?]> = {
    'by giving the role back': (id, owner) => ['DELETE', `/users/${id}/roles/${owner}`],
    'by ending the membership': (id) => ['DELETE', `/users/${id}`],
    'by being disabled': (id) => ['PUT', `/users/${id}`, { status: 'disabled' }],
  }
  for (const [how, way] of Object.entries(ways)) {
    it(`${how}: exactly one is left`, async () => {
      const { tenant, people } = await withOwners()
      const owner = await roleId(tenant, 'owner')
      const answers = await Promise.all(
        people.map((person) => {
          const [method, url, body] = way(person.userId, owner)
          return person.request(method, url, { body })
        }),
      )
      const refused = answers.filter(({ status }) => status >= 300)
      assert.deepEqual(
        refused.map(({ body }) => body.code),
        ['last_owner'],
      )
      assert.equal((await owners(tenant.id)).length, 1)
    })
  }
})

describe('parallel invitations of one person', () => {
  it('make one, in one tenant', async () => {
    const { owner } = await test.foundTenant()
    const body = { email: `${newId()}@example.com` }
    const answers = await Promise.all(Array.from({ length: RIVALS }, () => owner.post('/users/invite', body)))
    const statuses = answers.map(({ status }) => status).sort()
    assert.deepEqual(statuses, [201, ...Array(RIVALS - 1).fill(409)])
    const { body: list } = await owner.get('/users/invitations')
    assert.equal(list.data.length, 1)
  })

  it('make one in each of several tenants, of one and the same person', async () => {
    const tenants = await Promise.all(Array.from({ length: 6 }, () => test.foundTenant()))
    const body = { email: `${newId()}@example.com` }
    const answers = await Promise.all(tenants.map(({ owner }) => owner.post('/users/invite', body)))
    assert.deepEqual(
      answers.map(({ status }) => status),
      Array(6).fill(201),
    )
    assert.equal(new Set(answers.map((answer) => answer.body.user_id)).size, 1)
  })
})

describe('one invitation', () => {
  async function invited() {
    const tenant = await test.foundTenant()
    const email = `${newId()}@example.com`
    const { body } = await tenant.owner.post('/users/invite', { email })
    const link = await readToken(test, tenant, email)
    const { hash } = splitInvitationToken(link)! // made by the module itself
    const work = async (ctx: Ctx) => {
      const invitation = await findInvitation(ctx.tx, tenant.id, hash)
      if (!invitation) return 'unknown'
      await useInvitation(ctx, invitation)
      return 'joined'
    }
    const accept = () => test.core.run(work, { tenantId: tenant.id }).catch((error: AppError) => error.code)
    return { tenant, invitation: body, accept }
  }

  it('is accepted once, however many try', async () => {
    const { tenant, invitation, accept } = await invited()
    const outcomes = await Promise.all(Array.from({ length: RIVALS }, accept))
    assert.deepEqual(outcomes.toSorted(), [...Array(RIVALS - 1).fill('invalid_token'), 'joined'])
    const { body } = await tenant.owner.get(`/users/${invitation.user_id}/roles`)
    assert.equal(body.data.length, 1)
  })

  it('is either accepted or revoked', async () => {
    for (let round = 0; round < 5; round++) {
      const { tenant, invitation, accept } = await invited()
      const url = `/users/invitations/${invitation.id}` as const
      const [outcome, revoked] = await Promise.all([accept(), tenant.owner.delete(url)])
      assert.equal(revoked.status, outcome === 'joined' ? 404 : 204, `accepting ended with ${outcome}`)
      const { status } = await tenant.owner.get(`/users/${invitation.user_id}`)
      assert.equal(status, outcome === 'joined' ? 200 : 404)
    }
  })
})
