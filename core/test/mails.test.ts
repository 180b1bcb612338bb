import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { defineModule } from '#kernel'
import { sampleOf } from '../src/kernel/http/openapi-samples.ts'
import { createRegistry } from '../src/kernel/registry.ts'
import { auth } from '../src/modules/auth/index.ts'
import { passwordChangedMail } from '../src/modules/auth/mails.ts'
import { builtinModules } from '../src/modules/index.ts'
import { sendMail } from '../src/modules/mail/jobs.ts'
import { wordsOf } from '../src/modules/mail/mail-parts.fixture.ts'
import { listMailbox } from '../src/modules/mail/mailbox.ts'
import { type RenderedMail, renderMail } from '../src/modules/mail/render.ts'
import { drainJobs } from '../src/testing/drain-jobs.ts'
import { createTestCore, type TestCore } from '../src/testing/index.ts'
import { messageFolder } from '../src/testing/message-folder.ts'

const { mails, messages } = createRegistry(builtinModules)
const place = { publicUrl: 'https://app.example.com', product: 'Shop', timezone: 'Europe/Vienna' }
const brand = { name: 'Acme', primaryColor: '#ffcc00', accentColor: '#00aa55', logoUrl: null, timezone: null }
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
const TIMELESS = new Set(['notification', 'notification_security', 'notification_digest'])

/** Nobody can sign in to what they are about. */
const LINKLESS = new Set(['tenant_removal_planned', 'tenant_removal_reminder'])

describe('every built-in mail', () => {
  it('is there', () => assert.equal(mails.size, 17))

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
          assert.equal(linksIn(part), LINKLESS.has(mail.kind) ? 0 : 1)
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
          assert.equal(linksIn(part), LINKLESS.has(mail.kind) ? 0 : 1)
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
      en: { 'mail.password_changed.subject': 'Was that you?' },
      fr: {
        'mail.greeting': '{named, select, yes {Bonjour {name},} other {Bonjour,}}',
        'mail.closing.security': 'C’est une question de sécurité.',
        'mail.password_changed.subject': 'Votre mot de passe a été modifié',
        'mail.password_changed.body': 'Modifié le {at, date, moment}.',
        'mail.password_changed.action': 'En choisir un autre',
      },
    }),
  })
  let test: TestCore
  before(async () => {
    test = await createTestCore({ modules: [...builtinModules, french] })
  })
  after(() => test.close())

  it('has the texts of now, those of an application before those of the core, however long ago it was queued', async () => {
    for (const locale of ['fr-CA', 'en', 'de-AT']) {
      const to = `${locale}@example.com`.toLowerCase()
      const told = JSON.stringify({ name: 'Ann', at: '2026-03-03T13:00:00.000Z' })
      const data = test.core.secrets.seal(told, `mail:password_changed:${to}`)
      const payload = { to, kind: 'password_changed', data, locale, timezone: 'Europe/Paris', from_name: null }
      await test.core.run((ctx) => ctx.enqueue(sendMail, payload), { tenantId: null })
    }
    await drainJobs(test.core, null)
    const mails = await listMailbox(test.dataDir)
    assert.deepEqual(mails.map(({ subject }) => subject).sort(), [
      'Ihr Passwort wurde geändert',
      'Votre mot de passe a été modifié',
      'Was that you?',
    ])
    const french = mails.find(({ to }) => to.startsWith('fr'))
    assert.match(french?.text ?? '', /^Bonjour Ann,\n\nModifié le 3 mars 2026 à /)
  })

  it('looks like the tenant that it belongs to, and like no other', async () => {
    const [painted, plain] = [await test.foundTenant({ name: 'Painted' }), await test.foundTenant({ name: 'Plain' })]
    const colours = { primary_color: '#d97706', accent_color: '#00aa55' }
    assert.equal((await painted.owner.put('/tenants/current/branding', colours)).status, 200)
    const sent = async ({ id: tenantId }: { id: string }, to: string) => {
      const data = { at: '2026-03-03T13:00:00.000Z' }
      await test.core.run((ctx) => ctx.mail(passwordChangedMail, { to, data }), { tenantId })
      await test.drainJobs(tenantId)
      return (await test.mails(to))[0]
    }
    const own = await sent(painted, 'own@example.com')
    assert.match(own?.html ?? '', /border-top:4px solid #00aa55.*>Painted<\/p>.*background:#d97706;color:#000000/s)
    assert.match(own?.text ?? '', /\n-- \nPainted\n$/)
    const other = await sent(plain, 'other@example.com')
    assert.match(other?.html ?? '', />Plain<\/p>/)
    assert.doesNotMatch(other?.html ?? '', /#d97706|#00aa55|Painted/)
  })
})
