import assert, { partialDeepStrictEqual as has } from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { DAYS, HOURS } from '#kernel'
import { TEST_SECRET } from '../../testing/core.ts'
import { asSuperuser } from '../audit/audit.fixture.ts'
import { checkTenantDomain, findDueDomains } from './check.ts'
import {
  arriving,
  authenticated,
  createMailCore,
  headerOf,
  type MailCore,
  newDomain,
  PLATFORM,
  path,
  publish,
  readDomain,
  setDomain,
  type TestTenant,
  verifiedTenant,
  verify,
} from './mail-domains.fixture.ts'
import type { MailDomain } from './schema.ts'

const TAKEN = 'Another company here has proven that the domain is theirs, and its record still stands in DNS.'

describe('one domain and several tenants', () => {
  let test: MailCore
  before(async () => {
    test = await createMailCore()
  })
  after(() => test.close())

  /** Both named the domain, and both keys are in DNS; `proofs`: whose challenges stand there. */
  async function rivals(domain: string) {
    const tenants: TestTenant[] = [await test.foundTenant(), await test.foundTenant()]
    const asked = await Promise.all(tenants.map(({ owner }) => setDomain(owner, domain)))
    for (const state of asked) publish(test, state, 'dkim_current')
    const [one, other] = tenants
    assert.ok(one && other)
    return { one, other, asked, prove: (...states: MailDomain[]) => prove(domain, states) }
  }

  function prove(domain: string, states: MailDomain[]) {
    const values = states.map(({ records }) => records.find(({ purpose }) => purpose === 'verification')?.value ?? '')
    test.dns.zone.set(`_mail-domain.${domain}`, values)
  }

  const sender = async ({ id }: TestTenant) => headerOf(await arriving(test, id), 'From').join()

  it('the one gets it whose challenge DNS shows', async () => {
    const domain = newDomain()
    const { one, other, asked, prove } = await rivals(domain)
    prove(...asked.slice(1))
    has(await verify(one.owner), { status: 'pending' })
    has(await verify(other.owner), { status: 'verified' })
    assert.match(await sender(one), new RegExp(PLATFORM))
    assert.match(await sender(other), new RegExp(domain))
  })

  it('of twenty simultaneous checks of both, with both challenges in DNS, those of one tenant succeed', async () => {
    const domain = newDomain()
    const { one, other, asked, prove } = await rivals(domain)
    prove(...asked)
    const states = await Promise.all(
      Array.from({ length: 20 }, (_, at) => verify(at % 2 === 0 ? one.owner : other.owner)),
    )
    const verified = new Set(states.filter(({ status }) => status === 'verified').map(({ tenant_id }) => tenant_id))
    assert.equal(verified.size, 1)
    const final = await Promise.all([readDomain(one.owner), readDomain(other.owner)])
    assert.deepEqual(final.map(({ status }) => status).sort(), ['pending', 'verified'])
    assert.equal(final.find(({ status }) => status === 'pending')?.error, TAKEN)
    const senders = [await sender(one), await sender(other)]
    assert.equal(senders.filter((from) => from.includes(`@${domain}`)).length, 1)
  })

  it('it passes to another tenant when the record of the first goes, even before that one was looked at again', async () => {
    const domain = newDomain()
    const { one, other, asked, prove } = await rivals(domain)
    prove(...asked)
    await verify(one.owner)
    has(await verify(other.owner), { status: 'pending', error: TAKEN })
    prove(...asked.slice(1))
    has(await verify(other.owner), { status: 'verified', error: null })
    assert.match(await sender(other), new RegExp(domain))
    assert.match(await sender(one), new RegExp(PLATFORM), 'nothing leaves in the name of a domain that is lost')
    has(await verify(one.owner), { status: 'failing' })
  })

  it('a tenant that gives it up, or names another one, leaves it to others', async () => {
    const domain = newDomain()
    const { one, other, asked, prove } = await rivals(domain)
    prove(...asked)
    await verify(one.owner)
    assert.equal((await one.owner.delete(path)).status, 204)
    has(await verify(other.owner), { status: 'verified' })
    const moved = await setDomain(other.owner, newDomain())
    has(moved, { status: 'pending', verified_at: null })
    assert.ok(moved.records.every(({ state }) => state === 'unknown'))
    const third = await test.foundTenant()
    publish(test, await setDomain(third.owner, domain))
    has(await verify(third.owner), { status: 'verified' })
  })

  it('of twenty simultaneous changes a tenant has one domain, and its row is whole', async () => {
    const { owner } = await test.foundTenant()
    const [first, second] = [newDomain(), newDomain()]
    await setDomain(owner, first)
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, at) =>
        owner.put(path, at % 5 === 0 ? { domain: second } : { domain: first, from_address: `a${at}@${first}` }),
      ),
    )
    assert.ok(answers.every(({ status }) => status === 200 || status === 409))
    const kept = await readDomain(owner)
    assert.ok(kept.from_address.endsWith(`@${kept.domain}`))
    assert.ok(answers.some(({ body }) => body.id === kept.id))
    const rows = await asSuperuser(test, 'select count(*)::int as count from core.mail_domains where tenant_id = $1', [
      kept.tenant_id,
    ])
    assert.deepEqual(rows, [{ count: 1 }])
  })

  it('of twenty simultaneous rotations and checks one rotation is asked for, and recorded once', async () => {
    const { owner, id } = await verifiedTenant(test, newDomain())
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, at) => owner.post(`${path}/${at % 2 ? 'rotate' : 'verify'}`)),
    )
    assert.ok(answers.every(({ status }) => status === 200 || status === 409))
    const asked = await asSuperuser(
      test,
      `select count(*)::int as count from core.audit_logs
       where tenant_id = $1 and action = 'mail_domain.updated' and old_values->>'rotation' = 'none'
         and new_values->>'rotation' <> 'none'`,
      [id],
    )
    assert.deepEqual(asked, [{ count: 1 }])
  })

  it('private keys are kept sealed, and shown nowhere', async () => {
    const { id, owner } = await verifiedTenant(test)
    const [row] = await asSuperuser(test, 'select * from core.mail_domains where tenant_id = $1', [id])
    for (const key of ['private_1', 'private_2']) assert.match(String(row?.[key]), /^v1\./)
    const log = await owner.get('/audit?resource_type=mail_domain')
    assert.deepEqual(
      log.body.data.map(({ action }: { action: string }) => action),
      ['mail_domain.verified', 'mail_domain.created'],
    )
    const everything = log.text + (await owner.get(path)).text + test.logs.join('') + JSON.stringify(row)
    assert.doesNotMatch(everything, /PRIVATE KEY/)
    assert.ok(!log.text.includes(String(row?.challenge)))
  })

  it('keys are sealed anew once APP_SECRET is another one, and go on signing', async () => {
    const { id, domain } = await verifiedTenant(test)
    const env = { APP_SECRET: 'a-newer-secret-0123456789-abcdefghijklmn', APP_SECRET_PREVIOUS: TEST_SECRET }
    const second = await createMailCore({
      database: test.database,
      env: { ...env, MAIL_DNS_SERVERS: test.dns.address },
    })
    try {
      const sealed = () => asSuperuser(test, 'select private_1 from core.mail_domains where tenant_id = $1', [id])
      second.clock.advance(8 * HOURS)
      const before = await sealed()
      await second.runSchedule(findDueDomains)
      await second.drainJobs(id)
      const keyOf = ([row]: Record<string, unknown>[]) => String(row?.private_1).split('.')[1]
      assert.notEqual(keyOf(before), keyOf(await sealed()))
      assert.equal((await authenticated(test, await arriving(second, id))).signature?.signingDomain, domain)
    } finally {
      await second.close()
    }
  })

  it('one is not looked at for ever when nobody finishes it, and twice is as good as once', async () => {
    const { id, owner } = await test.foundTenant()
    await setDomain(owner, newDomain())
    const check = async () => {
      await test.runSchedule(findDueDomains)
      await test.drainJobs(id)
    }
    for (const days of [1, 6, 8]) {
      test.clock.advance(days * DAYS)
      await check()
    }
    has(await readDomain(owner), { status: 'pending', next_check_at: null })
    const { last_checked_at } = await readDomain(owner)
    test.clock.advance(1 * DAYS)
    await check()
    assert.equal((await readDomain(owner)).last_checked_at, last_checked_at)
    await test.core.run((ctx) => ctx.enqueue(checkTenantDomain, {}), { tenantId: id })
    await test.core.run((ctx) => ctx.enqueue(checkTenantDomain, {}), { tenantId: id })
    await test.drainJobs(id)
    has(await readDomain(owner), { status: 'pending' })
  })
})
