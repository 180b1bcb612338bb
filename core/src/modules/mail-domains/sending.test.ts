import assert, { partialDeepStrictEqual as has } from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { DAYS, HOURS } from '#kernel'
import { asSuperuser } from '../audit/audit.fixture.ts'
import { findDueDomains } from './check.ts'
import {
  arriving,
  authenticated,
  createMailCore,
  domainOf,
  headerOf,
  type MailCore,
  newDomain,
  PLATFORM,
  path,
  publish,
  readDomain,
  rotate,
  setDomain,
  signedWith,
  verifiedTenant,
  verify,
} from './mail-domains.fixture.ts'

describe('mails of a tenant with a domain of its own', () => {
  let test: MailCore
  before(async () => {
    test = await createMailCore()
  })
  after(() => test.close())

  async function rowOf(tenantId: string) {
    const [row] = await asSuperuser<{ id: string }>(test, 'select id from core.mail_domains where tenant_id = $1', [
      tenantId,
    ])
    return row ?? assert.fail('there is no domain')
  }

  it('come from the installation until DNS shows every record that counts', async () => {
    const { id, owner } = await test.foundTenant({ name: 'Acme' })
    const asked = await setDomain(owner, newDomain())
    assert.equal(asked.status, 'pending')
    has(asked.records, [
      { purpose: 'verification', required: true, state: 'unknown', name: `_mail-domain.${asked.domain}` },
      { purpose: 'dkim_current', required: true },
      { purpose: 'dkim_next', required: false },
      { purpose: 'dmarc', required: false, name: `_dmarc.${asked.domain}`, value: 'v=DMARC1; p=none' },
    ])
    publish(test, asked, 'dkim_current', 'dkim_next', 'dmarc')
    has(await verify(owner), {
      status: 'pending',
      error: 'DNS does not show that the domain is yours: the verification record is not there.',
    })
    const mail = await arriving(test, id)
    assert.deepEqual(headerOf(mail, 'From'), [`Acme via Platform <${PLATFORM}>`])
    has(signedWith(mail), { domain: domainOf(PLATFORM), selector: 'mail' })
    assert.equal((await authenticated(test, mail)).result, 'pass')
    assert.equal(mail.envelopeFrom, PLATFORM)
  })

  it('come from it, signed by its key, as an independent receiver finds', async () => {
    const { id, domain, state, owner } = await verifiedTenant(test)
    await owner.put('/tenants/current/branding', { email_from_name: 'Blue Bottle' })
    assert.equal((await owner.put('/tenants/current/settings', { mail_reply_to: 'Help@Example.ORG' })).status, 200)
    const mail = await arriving(test, id)
    assert.deepEqual(headerOf(mail, 'From'), [`Blue Bottle <no-reply@${domain}>`])
    assert.deepEqual(headerOf(mail, 'Reply-To'), ['help@example.org'])
    assert.equal(mail.envelopeFrom, PLATFORM, 'what cannot be delivered comes back to the installation')
    const { result, dmarc } = await authenticated(test, mail)
    assert.equal(result, 'pass')
    has(dmarc, { status: { result: 'pass' }, alignment: { dkim: { result: domain } } })
    assert.equal(state.error, null)
    const changed = { ...mail, raw: mail.raw.replace('Something happened', 'Something else') }
    assert.notEqual((await authenticated(test, changed)).result, 'pass')
  })

  it('are signed by the next key once DNS shows it, and the previous one stays until mails under way have arrived', async () => {
    const { id, owner, asked } = await verifiedTenant(test)
    const [first, second] = ['dkim_current', 'dkim_next'].map((purpose) =>
      asked.records.find((r) => r.purpose === purpose),
    )
    assert.ok(first && second)
    const selector = ({ name }: { name: string }) => name.split('.')[0]
    const underWay = await arriving(test, id)
    assert.equal(signedWith(underWay)?.selector, selector(first))

    test.dns.zone.delete(second.name)
    has(await rotate(owner), { rotation: 'waiting', status: 'verified' })
    assert.equal(signedWith(await arriving(test, id))?.selector, selector(first))
    test.dns.zone.set(second.name, [second.value])
    const overlap = await verify(owner)
    has(overlap, { rotation: 'overlap', status: 'verified' })
    assert.equal(overlap.records.find(({ name }) => name === first.name)?.purpose, 'dkim_previous')
    const later = await arriving(test, id)
    assert.equal(signedWith(later)?.selector, selector(second))
    assert.equal((await authenticated(test, later)).result, 'pass')
    assert.equal((await authenticated(test, underWay)).result, 'pass', 'the previous key is still to be had')
    assert.equal((await owner.post(`${path}/rotate`)).status, 409)

    test.clock.advance(7 * DAYS + 1 * HOURS)
    await test.runSchedule(findDueDomains)
    await test.drainJobs(id)
    const over = await readDomain(owner)
    has(over, { rotation: 'none', previous_key_until: null, status: 'verified' })
    const next = over.records.find(({ purpose }) => purpose === 'dkim_next')
    assert.equal(next?.name, first.name)
    assert.notEqual(next.value, first.value, 'another key follows')
    assert.equal(signedWith(await arriving(test, id))?.selector, selector(second))
  })

  it('come from the installation again when DNS breaks, and the owners are told once', async () => {
    const { id, owner, asked } = await verifiedTenant(test)
    const key = asked.records.find(({ purpose }) => purpose === 'dkim_current')
    assert.ok(key)
    test.dns.zone.set(key.name, ['v=DKIM1; k=rsa; p='])
    const before = test.arrived.length
    for (let round = 0; round < 3; round++) {
      test.clock.advance(8 * HOURS)
      await test.runSchedule(findDueDomains)
      await test.drainJobs(id)
    }
    has(await readDomain(owner), { status: 'failing', error: 'DNS does not show the key that mails are signed with.' })
    const told = test.arrived.slice(before)
    assert.deepEqual(
      told.map(({ to }) => to),
      [[owner.email]],
    )
    assert.match(told[0]?.raw ?? '', new RegExp(`do not come from.*${asked.domain}`, 's'))
    assert.deepEqual(
      headerOf(await arriving(test, id), 'From')
        .join()
        .endsWith(`<${PLATFORM}>`),
      true,
    )

    publish(test, asked)
    test.clock.advance(2 * HOURS)
    await test.runSchedule(findDueDomains)
    await test.drainJobs(id)
    assert.equal((await readDomain(owner)).status, 'verified')
    assert.equal((await authenticated(test, await arriving(test, id))).result, 'pass')
  })

  it('come from the installation while its key cannot be used', async () => {
    const { id, domain } = await verifiedTenant(test)
    const broken = test.core.secrets.seal('no key', `mail_domain:${(await rowOf(id)).id}:1`)
    await asSuperuser(test, 'update core.mail_domains set private_1 = $2 where tenant_id = $1', [id, broken])
    const mail = await arriving(test, id)
    assert.ok(!headerOf(mail, 'From').join().includes(domain))
    assert.equal((await authenticated(test, mail)).result, 'pass')
    assert.ok(test.logs.some((line) => line.includes('the key of a mail domain cannot be used')))
  })

  it('keep coming from it while name servers are silent for less than a day', async () => {
    const { id, owner, asked } = await verifiedTenant(test)
    for (const { name } of asked.records) test.dns.zone.set(name, 'broken')
    const check = async () => {
      await test.runSchedule(findDueDomains)
      await test.drainJobs(id)
      return readDomain(owner)
    }
    test.clock.advance(8 * HOURS)
    has(await check(), { status: 'verified', error: null })
    assert.equal((await arriving(test, id)).raw.includes(`@${asked.domain}`), true)
    test.clock.advance(25 * HOURS)
    has(await check(), { status: 'failing', error: 'The name servers of the domain do not answer.' })
  })
})
