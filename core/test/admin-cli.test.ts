import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { newId } from '#kernel'
import { asSuperuser, carryOut, passGrace } from '../src/modules/tenant-removal/tenant-removal.fixture.ts'
import { findUserByEmail } from '../src/modules/users/index.ts'
import { TEST_SECRET } from '../src/testing/core.ts'
import { createTestCore, type TestCore } from '../src/testing/index.ts'
import { BOOTSTRAP_TOKEN } from '../src/testing/isolation/front-door.ts'
import { proveAddress } from '../src/testing/prove-address.ts'
import { until } from '../src/testing/until.ts'
import { cleanUp } from './run-cli.ts'
import { runInProcess } from './run-in-process.ts'

const PASSWORD = 'seven lanterns over the harbour'
let t: TestCore
before(async () => {
  t = await createTestCore({ env: { RATE_LIMIT_FACTOR: '0', BOOTSTRAP_TOKEN } })
})
after(async () => {
  await t?.close()
  await cleanUp()
})

const run = (args: string, input = '') => {
  const { appUrl, systemUrl, ownerUrl } = t.database
  const urls = { DATABASE_URL: appUrl, DATABASE_SYSTEM_URL: systemUrl, DATABASE_OWNER_URL: ownerUrl }
  const env = { NODE_ENV: 'test', APP_SECRET: TEST_SECRET, LOG_LEVEL: 'silent', DATA_DIR: t.dataDir, ...urls }
  return runInProcess(`admin ${args}`, { env, input })
}
const signIn = async (email: string, password: string) =>
  t.request('POST', '/api/v1/auth/login', { body: { email, password } })
const actions = async (resourceId: string) =>
  (
    await t.core.db.systemQuery<{ action: string; actor_type: string }>(
      "select action, actor_type from global_audit_logs where resource_id = $1 and action like 'admin.%' order by id",
      [resourceId],
    )
  ).map(({ action, actor_type }) => `${action} by ${actor_type}`)

describe('tenantry admin create', () => {
  test('makes a super admin of nobody yet, with a password that is shown once, and ends the bootstrap', async () => {
    const { code, out, err } = await run('create --email Root@Example.com --name Root')
    assert.deepEqual([code, err], [0, ''])
    assert.match(out, /^root@example\.com is a super admin now\.\nPassword: \S{20,} \(shown this once\)\n$/)
    const password = /Password: (\S+)/.exec(out)?.[1] ?? ''
    const { body } = await signIn('root@example.com', password)
    assert.equal(body.user.is_super_admin, true)
    const overview = await t.request('GET', '/api/v1/admin/overview', { token: body.access_token })
    assert.equal(overview.status, 200)
    assert.deepEqual(await actions(body.user.id), ['admin.operator_changed by system'])
    const fields = { email: 'second@example.com', password: PASSWORD, name: 'Second' }
    const late = await t.request('POST', '/api/v1/auth/bootstrap', {
      body: { bootstrap_token: BOOTSTRAP_TOKEN, ...fields },
    })
    assert.deepEqual([late.status, late.body.code], [409, 'already_bootstrapped'])
  })

  test('takes a password from standard input, by the rules for passwords', async () => {
    const weak = await run('create --email weak@example.com --name Weak --password-stdin', 'password\n')
    assert.equal(weak.code, 1)
    assert.match(weak.err, /password/)
    assert.equal((await run('create --email weak@example.com --name Weak --password-stdin')).code, 2)
    const { code, out } = await run('create --email piped@example.com --name Piped --password-stdin', `${PASSWORD}\n`)
    assert.deepEqual([code, out], [0, 'piped@example.com is a super admin now.\n'])
    assert.equal((await signIn('piped@example.com', PASSWORD)).status, 200)
  })

  test('promotes who has an account, whose password and other roles stay, and does so once', async () => {
    const body = { email: 'owner@example.com', password: PASSWORD, name: 'Olga', tenant_name: 'Olga Ltd' }
    const { user } = (await t.request('POST', '/api/v1/auth/register', { body })).body
    // Anybody may have registered the address.
    const unproven = await run('create --email owner@example.com')
    assert.equal(unproven.code, 1)
    assert.match(unproven.err, /owner@example\.com has an account, but nobody has confirmed the address/)
    assert.deepEqual(await actions(user.id), [])
    await proveAddress(t, user.id)
    const silent = await run('create --email owner@example.com --password-stdin', 'a password of somebody else\n')
    assert.deepEqual([silent.code, /has a password already/.test(silent.err)], [2, true])
    assert.deepEqual(await actions(user.id), [])
    assert.deepEqual(await run('create --email owner@example.com'), {
      code: 0,
      out: 'owner@example.com is a super admin now.\n',
      err: '',
    })
    const again = await run('create --email owner@example.com')
    assert.equal(again.out, 'owner@example.com is a super admin already.\n')
    assert.equal((await signIn('owner@example.com', PASSWORD)).body.user.is_super_admin, true)
    assert.deepEqual(await actions(user.id), ['admin.operator_changed by system'])
  })

  test('refuses what it cannot do', async () => {
    const disabled = await t.addPerson()
    await t.core.db.systemQuery("update users set status = 'disabled' where id = $1", [disabled.userId])
    for (const [args, code] of [
      ['create', 2],
      ['create --email', 2],
      ['create --email nobody@example.com', 2],
      ['create --email nobody --name Nobody', 1],
      [`create --email ${disabled.email}`, 1],
      ['create --email a@example.com --name A extra', 2],
      ['create --email blank@example.com --name=\u200b', 2],
      ['create --email two@example.com --name=A\nBcc:b@example.com', 2],
      [`create --email long@example.com --name=${'a'.repeat(201)}`, 2],
    ] as const)
      assert.equal((await run(args)).code, code, args)
    assert.equal(await t.core.run(({ tx }) => findUserByEmail(tx, 'two@example.com')), undefined)
  })
})

describe('tenantry admin suspend and reactivate', () => {
  test('do so with several tenants, by slug or id, after a dry run that touches nothing', async () => {
    const tenants = [await t.foundTenant(), await t.foundTenant()]
    const [one, two] = tenants as [(typeof tenants)[0], (typeof tenants)[0]] // two were just founded
    const { slug } = (await one.owner.get('/tenants/current')).body
    const names = `--tenant ${slug} --tenant ${two.id.toUpperCase()} --tenant ${one.id}`
    const statuses = async () => Promise.all(tenants.map(async ({ owner }) => (await owner.get('/stores')).status))
    const dry = await run(`suspend ${names} --reason Breach --dry-run`)
    assert.deepEqual([dry.code, dry.err], [0, ''])
    assert.match(
      dry.out,
      /^\S+ \(\S+, .*\): would be suspended\n\S+ .*: would be suspended\nNothing was done to 2 tenants: a dry run\.\n$/,
    )
    assert.deepEqual(await statuses(), [200, 200])
    assert.deepEqual(await actions(one.id), [])
    const { code, out } = await run(`suspend ${names} --reason Breach`)
    assert.equal(code, 0, out)
    assert.match(out, /^2 tenants are suspended now\.$/m)
    // Another process has heard of it.
    await until('both are kept out', async () => (await statuses()).join() === '403,403')
    const again = await run(`suspend --tenant ${slug} --reason Breach`)
    assert.deepEqual([again.code, /is suspended already/.test(again.out)], [0, true])
    const back = await run(`reactivate ${names}`)
    assert.deepEqual([back.code, /^2 tenants are reactivated now\.$/m.test(back.out)], [0, true])
    await until('both are let in', async () => (await statuses()).join() === '200,200')
    assert.deepEqual(await actions(two.id), ['admin.tenant_suspended by system', 'admin.tenant_reactivated by system'])
    const { body } = await two.owner.get('/audit?action=tenant.suspended')
    assert.deepEqual([body.data[0].actor.type, body.data[0].new_values.reason], ['system', 'Breach'])
  })

  test('do nothing where a name is the id of one and the slug of another', async () => {
    const [one, other] = [await t.foundTenant(), await t.foundTenant()]
    // Slugs that are older than the rule for them.
    await t.core.db.systemQuery('update tenants set slug = $1 where id = $2', [one.id, other.id])
    const { code, err } = await run(`suspend --tenant ${one.id} --reason Breach`)
    assert.equal(code, 1)
    assert.match(err, /is the id of one tenant and the slug of another; nothing was done/)
    for (const { owner } of [one, other]) assert.equal((await owner.get('/stores')).status, 200)
    const lone = newId()
    await t.core.db.systemQuery('update tenants set slug = $1 where id = $2', [lone, other.id])
    assert.match((await run(`suspend --tenant ${lone} --reason Breach --dry-run`)).out, /would be suspended/)
  })

  test('do nothing where one is unknown, and go on where one cannot be', async () => {
    const [one, gone] = [await t.foundTenant(), await t.foundTenant()]
    const never = newId()
    const unknown = await run(`suspend --tenant ${one.id} --tenant nobody-has-this --tenant ${never} --reason Breach`)
    assert.equal(unknown.code, 1)
    assert.match(unknown.err, new RegExp(`There is no tenant nobody-has-this, ${never}; nothing was done`))
    assert.equal((await one.owner.get('/stores')).status, 200)
    await t.core.db.systemQuery("update tenants set status = 'deleted' where id = $1", [gone.id])
    const { code, out } = await run(`suspend --tenant ${gone.id} --tenant ${one.id} --reason Breach`)
    assert.equal(code, 1)
    assert.match(out, /: The tenant is deleted, not active$/m)
    assert.match(out, /^1 tenant is suspended now\.$/m)
    for (const args of [
      'suspend',
      'suspend --tenant a',
      'suspend --reason x',
      'reactivate',
      `suspend --tenant ${one.id} --reason= `,
      `suspend --tenant ${one.id} --reason=a\u0007b`,
      `suspend --tenant ${one.id} --reason=${'a'.repeat(1_001)}`,
    ])
      assert.equal((await run(args)).code, 2, args)
  })
})

describe('tenantry admin delete, reactivate and certificate', () => {
  test('delete tenants as can be undone, after a dry run that touches nothing', async () => {
    const { id, owner } = await t.foundTenant()
    const { slug } = (await owner.get('/tenants/current')).body
    const dry = await run(`delete --tenant ${slug} --dry-run`)
    assert.deepEqual([dry.code, dry.err], [0, ''])
    assert.match(dry.out, /: would be deleted\nNothing was done to 1 tenant: a dry run\.\n$/)
    assert.equal((await owner.get('/stores')).status, 200)
    await run(`suspend --tenant ${id} --reason Breach`)
    const { code, out } = await run(`delete --tenant ${slug} --reason Over`)
    assert.equal(code, 0, out)
    assert.match(
      out,
      /: is deleted now, and removed for good from \d{4}-\d\d-\d\dT\S+Z on\n1 tenant is deleted now\.\n$/,
    )
    const again = await run(`delete --tenant ${slug}`)
    assert.deepEqual([again.code, /: is deleted already$/m.test(again.out)], [0, true])
    await until('nobody gets in', async () => (await owner.get('/stores')).status === 403)
    assert.match((await run(`reactivate --tenant ${slug}`)).out, /: is suspended now\n1 tenant is reactivated now\.\n$/)
    assert.match((await run(`reactivate --tenant ${slug}`)).out, /: is active now$/m)
    assert.deepEqual(await actions(id), [
      'admin.tenant_suspended by system',
      'admin.tenant_deleted by system',
      'admin.tenant_reactivated by system',
      'admin.tenant_reactivated by system',
    ])
    assert.equal((await run('delete')).code, 2)
    assert.equal((await run(`delete --tenant ${slug} --reason=a\u0007b`)).code, 2)
  })

  test('show what is left of one that is gone, by its id or slug, and whether it is as it was signed', async () => {
    const { id, owner } = await t.foundTenant()
    const { slug } = (await owner.get('/tenants/current')).body
    assert.equal((await run(`certificate --tenant ${id}`)).code, 1)
    await run(`delete --tenant ${id}`)
    await passGrace(t)
    assert.ok((await carryOut(t)).includes('done'))
    for (const name of [id, id.toUpperCase(), slug]) {
      const { code, out } = await run(`certificate --tenant ${name}`)
      const { facts, is_valid } = JSON.parse(out)
      assert.deepEqual([code, facts.tenant_id, facts.requested_by.type, is_valid], [0, id, 'system', true])
    }
    const change =
      "update core.tenant_removal_certificates set content = replace(content, 'system', 'nobody') where tenant_id = $1"
    await asSuperuser(t, change, [id])
    const { code, out } = await run(`certificate --tenant ${id}`)
    assert.deepEqual([code, JSON.parse(out).is_valid], [1, false])
    assert.match((await run('certificate --tenant nobody')).err, /No tenant nobody was removed for good/)
    assert.equal((await run('certificate')).code, 2)
  })
})

describe('tenantry admin revoke-sessions', () => {
  test('signs a person out everywhere, in a process that runs too', async () => {
    const { owner } = await t.foundTenant()
    const token = await owner.token()
    const ask = async () => t.request('GET', '/api/v1/users/me', { token })
    assert.equal((await ask()).status, 200)
    const { code, out } = await run(`revoke-sessions --email ${owner.email}`)
    assert.deepEqual([code, out], [0, `${owner.email} is signed out everywhere.\n`])
    await until('it is known', async () => (await ask()).body.code === 'session_revoked')
    assert.deepEqual(await actions(owner.userId), ['admin.sessions_revoked by system'])
    assert.equal((await run('revoke-sessions --email nobody@example.com')).code, 1)
    assert.equal((await run('revoke-sessions')).code, 2)
  })
})
