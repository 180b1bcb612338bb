import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { defineModule } from '#kernel'
import { sampleOf } from '../src/kernel/http/openapi-samples.ts'
import { createRegistry } from '../src/kernel/registry.ts'
import { auth } from '../src/modules/auth/index.ts'
import { passwordChangedMail, verifyEmailMail } from '../src/modules/auth/mails.ts'
import { builtinModules } from '../src/modules/index.ts'
import { wordsOf } from '../src/modules/mail/mail-parts.fixture.ts'
import { listMailbox } from '../src/modules/mail/mailbox.ts'
import { type RenderedMail, renderMail } from '../src/modules/mail/render.ts'
import { drainJobs } from '../src/testing/drain-jobs.ts'
import { createTestCore, type TestCore } from '../src/testing/index.ts'
import { messageFolder } from '../src/testing/message-folder.ts'

const { mails, messages } = createRegistry(builtinModules)
const place = { publicUrl: 'https://app.example.com', product: 'Shop', timezone: 'Europe/Vienna' }
const brand = { name: 'Acme', primaryColor: '#ffcc00', accentColor: '#00aa55', logoUrl: null }
const HOSTILE =
  '<a href="https://evil.test">click</a>\r\nhttp://evil.test www.evil.test {at} {tenant, select, other {#}}'

/** What a person may have typed, wherever it stands; long lists. */
function hostile(value: unknown, field = ''): unknown {
  if (Array.isArray(value)) return Array.from({ length: 1_000 }, () => hostile(value[0], field))
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, hostile(each, name)]))
  if (typeof value !== 'string') return value
  if (/name|^by$|device|ipAddress/i.test(field)) return HOSTILE.padEnd(5_000, '"\'<&> ')
  // What an address of RFC 5321 can be at most.
  return field === 'email' ? `${'"<b>&\'{at}"'.padEnd(64, "'")}@${'x'.repeat(180)}.example` : value
}

const linksIn = (part: string) => part.split('://').length - 1

function assertDocument({ html }: RenderedMail, language: string): void {
  assert.match(html, new RegExp(`^<!doctype html>\n<html lang="${language}">.*</html>\n$`, 's'))
  assert.doesNotMatch(html, /<(script|img|link|iframe|form|b)\b|\bsrc=|url\(|<[^>]*\son\w+=/i)
  assert.ok(Buffer.byteLength(html) < 100_000, `${Buffer.byteLength(html)} bytes`)
}

/** What they say is written before, with the times in it. */
const TIMELESS = new Set(['notification', 'notification_digest'])

describe('every built-in mail', () => {
  it('is there', () => assert.equal(mails.size, 14))

  for (const mail of mails.values())
    for (const { locale, language, greeting, time } of [
      { locale: 'en-GB', language: 'en', greeting: 'Hello', time: / 13:00 CET\b/ },
      { locale: 'de-CH', language: 'de', greeting: 'Guten Tag', time: / 13:00 MEZ\b/ },
    ]) {
      const render = (data: unknown) => renderMail(messages, mail, data, { ...place, brand, locale })

      it(`${mail.kind} says the same in both parts, in the language and time of the person, and has one link (${language})`, () => {
        const written = render(sampleOf(mail.data))
        const { subject, text, html } = written
        assert.match(subject, /^[^\r\n]{5,}$/)
        assert.match(text, new RegExp(`^${greeting} Ann,?\n`))
        for (const part of [text, html]) {
          assert.equal(linksIn(part), 1)
          if (!TIMELESS.has(mail.kind)) assert.match(part, time, 'the time is not that of the person')
          assert.doesNotMatch(part.replace(/<style>.*<\/style>/s, ''), /[{}]|undefined|null/)
        }
        assert.deepEqual(wordsOf({ html, subject }), wordsOf({ text, subject }))
        assertDocument(written, language)
      })

      it(`${mail.kind} shows no more of a name than a name, and is no longer than programs show (${language})`, () => {
        const written = render(hostile(sampleOf(mail.data)))
        const { subject, text, html } = written
        assert.doesNotMatch(subject, /[\r\n]|evil\.test/)
        for (const part of [text, html]) {
          assert.equal(linksIn(part), 1)
          assert.doesNotMatch(part, /evil\.test|www/)
        }
        assert.deepEqual(wordsOf({ html, subject }), wordsOf({ text, subject }))
        assertDocument(written, language)
      })
    }
})

describe('a mail that is sent', () => {
  const french = defineModule({
    name: 'french',
    dependsOn: [auth],
    messages: messageFolder({
      en: { 'mail.verify_email.subject': 'Is this yours?' },
      fr: {
        'mail.greeting': '{named, select, yes {Bonjour {name},} other {Bonjour,}}',
        'mail.verify_email.subject': 'Confirmez votre adresse',
        'mail.verify_email.body': 'Le lien est valable jusqu’au {expiresAt, date, moment}.',
        'mail.verify_email.action': 'Confirmer',
        'mail.verify_email.closing': 'Merci.',
      },
    }),
  })
  let test: TestCore
  before(async () => {
    test = await createTestCore({ modules: [...builtinModules, french] })
  })
  after(() => test.close())

  it('has the texts of now, those of an application before those of the core', async () => {
    for (const locale of ['fr-CA', 'en', 'de-AT']) {
      const to = `${locale}@example.com`.toLowerCase()
      const data = { name: 'Ann', token: 'tok', expiresAt: '2026-03-03T13:00:00.000Z' }
      await test.core.run((ctx) => ctx.mail(verifyEmailMail, { to, data, locale, timezone: 'Europe/Paris' }))
    }
    await drainJobs(test.core, null)
    const [first, ...others] = (await listMailbox(test.dataDir)).reverse()
    assert.equal(first?.subject, 'Confirmez votre adresse')
    assert.match(first.text, /^Bonjour Ann,\n\nLe lien est valable jusqu’au 3 mars 2026 à /)
    assert.deepEqual(
      others.map(({ subject }) => subject),
      ['Is this yours?', 'Bestätigen Sie Ihre E-Mail-Adresse'],
    )
  })

  it('looks like the tenant that it belongs to, and like no other', async () => {
    const [painted, plain] = [await test.foundTenant({ name: 'Painted' }), await test.foundTenant({ name: 'Plain' })]
    const colours = { primary_color: '#ffcc00', accent_color: '#00aa55' }
    assert.equal((await painted.owner.put('/tenants/current/branding', colours)).status, 200)
    const sent = async ({ id: tenantId }: { id: string }, to: string) => {
      const data = { at: '2026-03-03T13:00:00.000Z' }
      await test.core.run((ctx) => ctx.mail(passwordChangedMail, { to, data }), { tenantId })
      await test.drainJobs(tenantId)
      return (await test.mails(to))[0]
    }
    const own = await sent(painted, 'own@example.com')
    assert.match(own?.html ?? '', /border-top:4px solid #00aa55.*>Painted<\/p>.*background:#ffcc00;color:#000000/s)
    assert.match(own?.text ?? '', /\n-- \nPainted\n$/)
    const other = await sent(plain, 'other@example.com')
    assert.match(other?.html ?? '', />Plain<\/p>/)
    assert.doesNotMatch(other?.html ?? '', /#ffcc00|#00aa55|Painted/)
  })
})
