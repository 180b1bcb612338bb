import assert from 'node:assert/strict'
import { after, before, beforeEach } from 'node:test'
import { newId } from '#kernel'
import { createTestCore, type TestCore, type TestTenant } from '../../testing/index.ts'
import { builtinModules } from '../index.ts'
import { letters, noticeMail } from './letters.fixture.ts'
import { type Peer, startPeer } from './peer.fixture.ts'

/** A core that sends to a mail server of the test's own, and two tenants. */
export interface Office {
  test: TestCore
  peer: Peer
  acme: TestTenant
  other: TestTenant
}

export const newEmail = () => `${newId()}@example.com`

/** For the tests of a file, with what they do all the time. */
export function useOffice() {
  const office = {} as Office // filled before the first test
  before(async () => {
    const peer = await startPeer()
    const env = { SMTP_URL: peer.url, MAIL_FROM: 'Test <test@example.com>', MAIL_BOUNCE_DOMAIN: 'bounces.example.com' }
    const test = await createTestCore({ modules: [...builtinModules, letters], env })
    Object.assign(office, { peer, test, acme: await test.foundTenant(), other: await test.foundTenant() })
  })
  beforeEach(() => office.peer.reset())
  after(async () => {
    await office.test.close()
    await office.peer.close()
  })
  const post = async (to: string, mail = noticeMail, tenantId: string | null = office.acme.id) => {
    const { core } = office.test
    const id = await core.run((ctx) => ctx.mail(mail, { to, data: { at: ctx.clock.now() } }), { tenantId })
    assert.ok(id)
    return id
  }
  const work = (tenant = office.acme) => office.test.drainJobs(tenant.id)
  const read = async (id: string, tenant = office.acme) => (await tenant.owner.get(`/mails/${id}`)).body
  return {
    office,
    post,
    work,
    read,
    /** What the mail server says of recipients from here on. */
    refuse: (text: string, code = 550) => office.peer.onRecipient(() => ({ code, text })),
    /** One that the mail server was asked to take. */
    async sent(to = newEmail(), mail = noticeMail) {
      const id = await post(to, mail)
      await work()
      return read(id)
    },
    /** An address as it stands on a tenant's list. */
    async listedFor(email: string, tenant = office.acme) {
      return (await tenant.owner.get(`/mails/suppressions?${new URLSearchParams({ email })}`)).body.data[0]
    },
  }
}
