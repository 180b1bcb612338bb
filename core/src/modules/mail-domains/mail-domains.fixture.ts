import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { authenticate } from 'mailauth'
import { SMTPServer } from 'smtp-server'
import { Closed, type Ctx, defineMail, defineModule, type Subscription, Type } from '#kernel'
import {
  createTestCore,
  type TestCore,
  type TestCoreOptions,
  type TestPerson,
  type TestTenant,
} from '../../testing/index.ts'
import { messageFolder } from '../../testing/message-folder.ts'
import { builtinModules } from '../index.ts'
import { mail } from '../mail/index.ts'
import { type DnsServer, startDnsServer } from './dns-server.fixture.ts'
import { newKeyPair } from './keys.ts'
import type { MailDomain } from './schema.ts'

export const path = '/tenants/current/mail-domain'
export const PLATFORM = 'no-reply@platform.example.net'

/** A mail of a tenant, whatever it says. */
export const noteMail = defineMail('notes.note', {
  data: Closed({ subject: Type.String() }),
  values: ({ data: { subject } }) => ({ subject }),
})

const texts = { en: { 'mail.notes.note.subject': '{subject}', 'mail.notes.note.body': 'Something happened.' } }

export const notes = defineModule({
  name: 'notes',
  dependsOn: [mail],
  messages: messageFolder(texts),
  mails: [noteMail],
})

/** A mail as the mail server got it. */
export interface Arrived {
  envelopeFrom: string
  to: string[]
  raw: string
}

/** A core whose mails go to a mail server of the test, and that asks a name server of the test. */
export interface MailCore extends TestCore {
  dns: DnsServer
  arrived: Arrived[]
}

export async function createMailCore({ env, ...options }: TestCoreOptions = {}): Promise<MailCore> {
  const dns = await startDnsServer()
  const arrived: Arrived[] = []
  const smtp = new SMTPServer({
    disabledCommands: ['STARTTLS'],
    authOptional: true,
    onData(stream, { envelope: { mailFrom, rcptTo } }, done) {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        const envelopeFrom = mailFrom ? mailFrom.address : ''
        arrived.push({ envelopeFrom, to: rcptTo.map(({ address }) => address), raw: Buffer.concat(chunks).toString() })
        done()
      })
    },
  })
  smtp.listen(0, '127.0.0.1')
  await once(smtp.server, 'listening')
  const { port } = smtp.server.address() as AddressInfo // listening on a port, not a pipe
  const key = await newKeyPair()
  dns.zone.set(`mail._domainkey.${domainOf(PLATFORM)}`, [`v=DKIM1; p=${key.public}`])
  const test = await createTestCore({
    modules: [...builtinModules, notes],
    ...options,
    env: {
      SMTP_URL: `smtp://127.0.0.1:${port}`,
      MAIL_FROM: `Platform <${PLATFORM}>`,
      MAIL_DNS_SERVERS: dns.address,
      MAIL_DKIM_SELECTOR: 'mail',
      MAIL_DKIM_PRIVATE_KEY: key.private.replace(/-----[^-]+-----|\s/g, ''),
      ...env,
    },
  })
  const close = async () => {
    await test.close()
    await dns.close()
    await new Promise<void>((resolve) => smtp.close(resolve))
  }
  return { ...test, dns, arrived, close }
}

/** Puts into DNS what was asked for, all of it or some purposes. */
export function publish({ dns }: MailCore, { records }: MailDomain, ...purposes: string[]): void {
  for (const { purpose, name, value } of records)
    if (purposes.length === 0 || purposes.includes(purpose)) dns.zone.set(name, [value])
}

export async function ok(answer: ReturnType<TestPerson['get']>): Promise<MailDomain> {
  const { status, text, body } = await answer
  assert.equal(status, 200, text)
  return body
}

export const setDomain = (owner: TestPerson, domain: string, more: object = {}) =>
  ok(owner.put(path, { domain, ...more }))
export const verify = (owner: TestPerson) => ok(owner.post(`${path}/verify`))
export const rotate = (owner: TestPerson) => ok(owner.post(`${path}/rotate`))
export const readDomain = (owner: TestPerson) => ok(owner.get(path))

export const domainOf = (address: string) => address.slice(address.lastIndexOf('@') + 1)

let count = 0
/** A domain that no other test has. */
export const newDomain = () => `acme-${++count}.example.com`

/** A tenant whose domain is verified. */
export async function verifiedTenant(test: MailCore, domain = newDomain()) {
  const tenant = await test.foundTenant()
  const asked = await setDomain(tenant.owner, domain)
  publish(test, asked)
  const state = await verify(tenant.owner)
  assert.equal(state.status, 'verified', JSON.stringify(state))
  return { ...tenant, domain, asked, state }
}

/** Sends a mail of a tenant and gives it as it arrived. */
export async function arriving(
  test: MailCore,
  tenantId: string,
  letter: { subject?: string; to?: string; unsubscribe?: Subscription; fromName?: string } = {},
): Promise<Arrived> {
  const { subject = 'News', to = 'reader@example.net', ...rest } = letter
  const before = test.arrived.length
  await test.core.run((ctx: Ctx) => ctx.mail(noteMail, { to, data: { subject }, ...rest }), { tenantId })
  await test.drainJobs(tenantId)
  const [mail] = test.arrived.slice(before)
  assert.ok(mail, 'no mail arrived')
  return mail
}

/** What an independent receiver says of a mail, whose resolver knows the test's DNS alone. */
export async function authenticated({ dns }: Pick<MailCore, 'dns'>, { raw, envelopeFrom }: Arrived) {
  const resolver = async (name: string, type: string) => {
    const found = type === 'TXT' ? dns.zone.get(name.toLowerCase()) : undefined
    if (Array.isArray(found)) return found.map((text) => [text])
    throw Object.assign(new Error('no such record'), { code: 'ENOTFOUND' })
  }
  const options = { ip: '192.0.2.1', helo: 'mx.example.com', sender: envelopeFrom, trustReceived: false, resolver }
  const { dkim, dmarc } = await authenticate(raw, { ...options, disableArc: true, disableBimi: true })
  const [signature] = dkim.results
  const fields = /^h=(.*?);/ms.exec(signature?.info ?? '')?.[1]
  return { result: signature?.status?.result, signature, dmarc, fields }
}

/** The header lines of a mail, unfolded. */
export function headersOf({ raw }: Pick<Arrived, 'raw'>): string[] {
  const [head = ''] = raw.split('\r\n\r\n')
  return head.replace(/\r\n[ \t]+/g, ' ').split('\r\n')
}

/** The values of a header. */
export const headerOf = (mail: Pick<Arrived, 'raw'>, name: string): string[] =>
  headersOf(mail).flatMap((line) =>
    line.toLowerCase().startsWith(`${name.toLowerCase()}:`) ? [line.slice(name.length + 1).trim()] : [],
  )

/** Selector and domain of the signature. */
export function signedWith(mail: Pick<Arrived, 'raw'>) {
  const [value] = headerOf(mail, 'DKIM-Signature')
  const tag = (name: string) => new RegExp(`(?:^|;)\\s*${name}=([^;]*)`).exec(value ?? '')?.[1]?.replaceAll(' ', '')
  return value === undefined ? null : { domain: tag('d'), selector: tag('s'), fields: tag('h')?.split(':') ?? [] }
}

export type { TestTenant }
