import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type AppError, type Ctx, defineModule, defineRoute, type Method, newId, permissionDenied } from '#kernel'
import { createTestCore, type TestCore, type TestPerson, type TestTenant } from '../../testing/index.ts'
import { authModules } from '../auth/auth.fixture.ts'
import {
  findInvitation,
  members,
  requireProvenAddress,
  splitInvitationToken,
  useInvitation,
  withdrawIfWorthless,
} from './index.ts'
import { readToken, recorded, roleId } from './members.fixture.ts'

/** A module of an application that writes to whom the caller names. */
const letters = defineModule({
  name: 'letters',
  dependsOn: [members],
  routes: [
    defineRoute({
      method: 'POST',
      path: '/letters',
      summary: 'Write a letter',
      access: 'self',
      errors: [permissionDenied],
      response: { 204: null },
      handler: (ctx) => requireProvenAddress(ctx),
    }),
  ],
})

const RIVALS = 20
let test: TestCore
before(async () => {
  test = await createTestCore({ modules: [...authModules, letters] })
})
after(() => test.close())

const call = (who: TestPerson, method: Method, url: `/${string}`, body?: unknown) => who.request(method, url, { body })

/** Somebody invited by `sender` with these roles (`manager`, `staff@<store>`), and how they accept. */
async function invited(tenant: TestTenant, sender: TestPerson, roles: string[]) {
  const email = `${newId()}@example.com`
  const wanted = await Promise.all(
    roles.map(async (each) => {
      const [key = '', store_id = null] = each.split('@')
      return { role_id: await roleId(tenant, key as 'staff'), store_id } // a built-in role's key
    }),
  )
  const { status, body, text } = await call(sender, 'POST', '/users/invite', { email, roles: wanted })
  assert.equal(status, 201, text)
  const { hash } = splitInvitationToken(await readToken(test, tenant, email))! // made by the module itself
  const work = async (ctx: Ctx) => {
    const invitation = await findInvitation(ctx.tx, tenant.id, hash)
    if (!invitation) return 'unknown'
    await useInvitation(ctx, invitation)
    return 'joined'
  }
  const accept = () => test.core.run(work, { tenantId: tenant.id }).catch((error: AppError) => error.code)
  const rolesHeld = async () => {
    const { body: held } = await call(tenant.owner, 'GET', `/users/${body.user_id}/roles`)
    return held.data?.map(({ name }: { name: string }) => name)
  }
  return { ...body, email, hash, accept, rolesHeld }
}

async function mailsTo(tenant: TestTenant, email: string): Promise<{ subject: string; text: string }[]> {
  await test.drainJobs(tenant.id)
  return test.mails(email)
}

const sql = (text: string, values: unknown[]) => test.core.db.systemQuery(text, values)

describe('an invitation of somebody who', () => {
  const ways: Record<string, (tenant: TestTenant, sender: TestPerson) => Promise<unknown>> = {
    'is removed': ({ owner }, { userId }) => call(owner, 'DELETE', `/users/${userId}`),
    'is disabled': ({ owner }, { userId }) => call(owner, 'PUT', `/users/${userId}`, { status: 'disabled' }),
    'loses the role that let them invite': async (tenant, { userId }) =>
      tenant.owner.delete(`/users/${userId}/roles/${await roleId(tenant, 'admin')}`),
  }
  for (const [what, happen] of Object.entries(ways)) {
    it(`${what} is taken back in the same moment, and recorded`, async () => {
      const tenant = await test.foundTenant()
      const sender = await tenant.member({ role: 'admin' })
      const invitation = await invited(tenant, sender, ['admin'])
      const since = newId()
      await happen(tenant, sender)
      assert.ok((await recorded(tenant, since)).includes('invitation.revoked'))
      assert.equal(await invitation.accept(), 'unknown')
      assert.equal((await call(tenant.owner, 'GET', `/users/${invitation.user_id}`)).status, 404)
    })
  }

  it('has lost a right since gives what they may give still, and they are told', async () => {
    const tenant = await test.foundTenant()
    const sender = await tenant.member({ role: 'admin' })
    await call(tenant.owner, 'POST', `/users/${sender.userId}/roles`, {
      role_id: await roleId(tenant, 'owner'),
    })
    const invitation = await invited(tenant, sender, ['owner', 'staff'])
    const since = newId()
    const owner = await roleId(tenant, 'owner')
    assert.equal((await call(tenant.owner, 'DELETE', `/users/${sender.userId}/roles/${owner}`)).status, 204)
    const happened = await recorded(tenant, since)
    assert.deepEqual(happened, ['role.unassigned', 'invitation.narrowed'])
    const told = await mailsTo(tenant, sender.email)
    assert.ok(told.some(({ text }) => text.includes(`${invitation.email}: still open, with fewer roles`)))
    assert.equal(await invitation.accept(), 'joined')
    assert.deepEqual(await invitation.rolesHeld(), ['staff'])
  })

  it('lost their rights behind its back is worth nothing when it is accepted', async () => {
    const tenant = await test.foundTenant()
    const cases: [string, string][] = [
      ['disabled in the tenant', "update members set status = 'disabled' where tenant_id = $1 and id = $2"],
      ['disabled as a person', "update users set status = 'disabled' where id = $2 and $1::uuid is not null"],
      ['without a role', 'delete from role_assignments where tenant_id = $1 and user_id = $2'],
      ['gone', 'delete from members where tenant_id = $1 and id = $2'],
      ['unknown', 'update invitations set invited_by = null where tenant_id = $1 and invited_by = $2'],
      ['of a kind unknown', "update invitations set sender_type = 'api_key' where tenant_id = $1 and invited_by = $2"],
    ]
    for (const [what, statement] of cases) {
      const sender = await tenant.member({ role: 'admin' })
      const invitation = await invited(tenant, sender, ['admin'])
      await sql(statement, [tenant.id, sender.userId])
      assert.equal(await invitation.accept(), 'invalid_token', what)
      assert.deepEqual(await invitation.rolesHeld(), [], what)
      const since = newId()
      const look = async (ctx: Ctx) => {
        const row = await findInvitation(ctx.tx, tenant.id, invitation.hash)
        return row && withdrawIfWorthless(ctx, row)
      }
      assert.equal(await test.core.run(look, { tenantId: tenant.id }), true, what)
      assert.deepEqual(await recorded(tenant, since), ['invitation.revoked'], what)
    }
  })

  it('is demoted while twenty accept gives its roles before that, or not at all', async () => {
    const tenant = await test.foundTenant()
    const sender = await tenant.member({ role: 'admin' })
    const admin = await roleId(tenant, 'admin')
    const invitations = []
    for (let i = 0; i < RIVALS; i++) invitations.push(await invited(tenant, sender, ['admin']))
    const acceptances = Promise.all(invitations.map(({ accept }) => accept()))
    const demotion = await call(tenant.owner, 'DELETE', `/users/${sender.userId}/roles/${admin}`)
    assert.equal(demotion.status, 204, demotion.text)
    const outcomes = await acceptances
    for (const [index, invitation] of invitations.entries()) {
      assert.ok(['joined', 'unknown', 'invalid_token'].includes(outcomes[index] ?? ''), outcomes[index])
      assert.deepEqual((await invitation.rolesHeld()) ?? [], outcomes[index] === 'joined' ? ['admin'] : [])
    }
    const { body } = await call(tenant.owner, 'GET', '/users/invitations')
    assert.deepEqual(body.data, [], 'what was not accepted is taken back')
    for (const { accept } of invitations) assert.notEqual(await accept(), 'joined')
  })
})

describe('somebody who is removed or demoted while they invite twenty', () => {
  for (const [how, end] of Object.entries({
    removed: (_admin: string, id: string): [Method, `/${string}`] => ['DELETE', `/users/${id}`],
    demoted: (admin: string, id: string): [Method, `/${string}`] => ['DELETE', `/users/${id}/roles/${admin}`],
  }))
    it(`${how}: leaves no invitation open`, async () => {
      const tenant = await test.foundTenant()
      const sender = await tenant.member({ role: 'admin' })
      const ending = end(await roleId(tenant, 'admin'), sender.userId)
      const invite = () => call(sender, 'POST', '/users/invite', { email: `${newId()}@example.com` })
      const invitations = Array.from({ length: RIVALS / 2 }, invite)
      const ended = call(tenant.owner, ...ending)
      const answers = await Promise.all([...invitations, ...Array.from({ length: RIVALS / 2 }, invite)])
      assert.equal((await ended).status, 204)
      for (const { status, text } of answers) assert.ok([201, 401, 402, 403].includes(status), text)
      const { body } = await call(tenant.owner, 'GET', '/users/invitations')
      assert.deepEqual(body.data, [])
    })
})

describe('an invitation', () => {
  it('is the promise of whoever sent it last', async () => {
    const tenant = await test.foundTenant()
    const sender = await tenant.member({ role: 'admin' })
    const invitation = await invited(tenant, sender, ['staff'])
    test.clock.advance(10 * 60_000)
    const resent = await call(tenant.owner, 'POST', `/users/invitations/${invitation.id}/resend`)
    assert.equal(resent.body.invited_by, tenant.owner.userId)
    await call(tenant.owner, 'DELETE', `/users/${sender.userId}`)
    const { body } = await call(tenant.owner, 'GET', '/users/invitations')
    assert.equal(body.data.length, 1)
  })

  it('to be an owner is told to the other owners, and so is making one', async () => {
    const tenant = await test.foundTenant()
    const second = await tenant.member({ role: 'owner' })
    const { email } = await invited(tenant, second, ['owner'])
    const told = await mailsTo(tenant, tenant.owner.email)
    assert.ok(told.some(({ subject }) => subject.includes(`invited ${email} to be an owner`)))
    assert.deepEqual(await mailsTo(tenant, second.email), [], 'who did it knows')
    const third = await tenant.member({ role: 'staff' })
    const owner = await roleId(tenant, 'owner')
    await call(tenant.owner, 'POST', `/users/${third.userId}/roles`, { role_id: owner })
    const mails = await mailsTo(tenant, second.email)
    assert.ok(mails.some(({ subject }) => subject.includes(`made ${third.email} an owner`)))
  })

  it('to a store that is closed or deleted gives the rest or is taken back, and its sender is told', async () => {
    const tenant = await test.foundTenant()
    const openStore = async (name: string) => (await call(tenant.owner, 'POST', '/stores', { name })).body.id
    const [closing, going] = [await openStore('Closing'), await openStore('Going')]
    const only = await invited(tenant, tenant.owner, [`staff@${closing}`])
    const partly = await invited(tenant, tenant.owner, [`staff@${going}`, 'viewer'])
    const late = await invited(tenant, tenant.owner, [`staff@${going}`])
    await call(tenant.owner, 'PUT', `/stores/${closing}`, { status: 'inactive' })
    await call(tenant.owner, 'DELETE', `/stores/${going}`)
    assert.equal(await late.accept(), 'invalid_token', 'before anybody has looked after it')
    const told = await mailsTo(tenant, tenant.owner.email)
    for (const line of [`${only.email}: taken back`, `${partly.email}: still open`, `${late.email}: taken back`])
      assert.ok(
        told.some(({ text }) => text.includes(line)),
        line,
      )
    assert.equal(await only.accept(), 'unknown')
    assert.equal(await partly.accept(), 'joined')
    assert.deepEqual(await partly.rolesHeld(), ['viewer'])
    const body = {
      email: `${newId()}@example.com`,
      roles: [{ role_id: await roleId(tenant, 'staff'), store_id: closing }],
    }
    const refused = await call(tenant.owner, 'POST', '/users/invite', body)
    assert.deepEqual([refused.status, refused.body.errors[0].pointer], [400, '#/roles/0/store_id'])
  })

  it('follows when a role of its sender is weakened', async () => {
    const tenant = await test.foundTenant()
    const permissions = ['user.invite', 'user.view', 'role.assign', 'store.view']
    const made = await call(tenant.owner, 'POST', '/roles', { name: 'Recruiter', permissions })
    const given = await call(tenant.owner, 'POST', '/roles', { name: 'Watcher', permissions: ['store.view'] })
    const sender = await tenant.member()
    await call(tenant.owner, 'POST', `/users/${sender.userId}/roles`, { role_id: made.body.id })
    const email = `${newId()}@example.com`
    const body = { email, roles: [{ role_id: given.body.id }] }
    assert.equal((await call(sender, 'POST', '/users/invite', body)).status, 201)
    await call(tenant.owner, 'PUT', `/roles/${made.body.id}`, { permissions: permissions.slice(0, 3) })
    await test.drainJobs(tenant.id)
    assert.deepEqual((await call(tenant.owner, 'GET', '/users/invitations')).body.data, [])
  })

  it('is not kept in a tenant that is suspended meanwhile', async () => {
    const tenant = await test.foundTenant()
    const { accept } = await invited(tenant, tenant.owner, ['staff'])
    await sql("update tenants set status = 'suspended' where id = $1", [tenant.id])
    assert.equal(await accept(), 'tenant_suspended')
    await sql("update tenants set status = 'active' where id = $1", [tenant.id])
    assert.equal(await accept(), 'joined')
  })
})

describe('who has not proven their own address', () => {
  it('sends no mail to others, and does everything else', async () => {
    const tenant = await test.foundTenant()
    const { id } = await invited(tenant, tenant.owner, ['staff'])
    await sql('update users set email_verified_at = null where id = $1', [tenant.owner.userId])
    const email = `${newId()}@example.com`
    const attempts = [
      await call(tenant.owner, 'POST', '/users/invite', { email }),
      await call(tenant.owner, 'POST', `/users/invitations/${id}/resend`),
    ]
    for (const { status, body } of attempts) {
      assert.deepEqual([status, body.code, body.permission], [403, 'permission_denied', undefined])
      assert.match(body.detail, /^Confirm your own e-mail address first, by the link that was mailed to it/)
    }
    assert.deepEqual(await mailsTo(tenant, email), [])
    assert.equal((await call(tenant.owner, 'POST', '/stores', { name: 'Open' })).status, 201)
  })

  it('is refused by the same check in a module of an application', async () => {
    const tenant = await test.foundTenant()
    const write = () => call(tenant.owner, 'POST', '/letters')
    assert.equal((await write()).status, 204)
    await sql('update users set email_verified_at = null where id = $1', [tenant.owner.userId])
    const { status, body } = await write()
    assert.deepEqual([status, body.code], [403, 'permission_denied'])
  })
})
