import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { defineModule, type MailDefinition, overrideMail } from '#kernel'
import { sampleOf } from '../src/kernel/http/openapi-samples.ts'
import { createRegistry } from '../src/kernel/registry.ts'
import { auth } from '../src/modules/auth/index.ts'
import { passwordChangedMail, verifyEmailMail } from '../src/modules/auth/mails.ts'
import { builtinModules } from '../src/modules/index.ts'
import { sendMail } from '../src/modules/mail/jobs.ts'
import { listMailbox } from '../src/modules/mail/mailbox.ts'
import { renderMail } from '../src/modules/mail/render.ts'
import { drainJobs } from '../src/testing/drain-jobs.ts'
import { createTestCore } from '../src/testing/index.ts'

const { mails } = createRegistry(builtinModules)
const reader = { publicUrl: 'https://app.example.com', locale: 'en-GB', timezone: 'Europe/Vienna' }
const HOSTILE = '<a href="https://evil.test">click</a>\r\nhttp://evil.test www.evil.test'

/** What a person may have typed, wherever it stands. */
const withHostileNames = (data: object): object =>
  Object.fromEntries(
    Object.entries(data).map(([field, value]) => [field, /name|^by$|device|ipAddress/i.test(field) ? HOSTILE : value]),
  )

const linksIn = (part: string) => part.split('://').length - 1

function assertDocument({ html }: { html: string }): void {
  assert.match(html, /^<!doctype html>\n<html lang="en">.*<\/html>\n$/s)
  assert.doesNotMatch(html, /<(script|img|link|iframe|form)\b|\bsrc=|url\(|\son\w+=/i)
}

describe('every built-in mail', () => {
  it('is there', () => assert.equal(mails.size, 12))

  for (const mail of mails.values()) {
    const data = sampleOf(mail.data) as object // the sample of an object's schema

    it(`${mail.kind} says the same in both parts, in the time of the person, and has one link`, () => {
      const written = renderMail(mail, data, reader)
      const { subject, text, html } = written
      assert.match(subject, /^[^\r\n]{5,}$/)
      assert.match(text, /^Hello Ann,\n/)
      for (const part of [text, html]) {
        assert.equal(linksIn(part), 1)
        assert.ok(part.includes(' 13:00:00 CET'), 'the time is that of the person')
      }
      const words = html.replace(/<title>.*<\/title>/, '').replace(/<[^>]+>/g, ' ')
      for (const line of text.split('\n').filter((line) => line && !line.includes('://')))
        assert.ok(words.includes(line.replace(/:$/, '')), line)
      assertDocument(written)
    })

    it(`${mail.kind} shows no more of a name than a name`, () => {
      const { subject, text, html } = renderMail(mail, withHostileNames(data), reader)
      assert.doesNotMatch(subject, /[\r\n<>]|evil\.test/)
      for (const part of [text, html]) {
        assert.equal(linksIn(part), 1)
        assert.doesNotMatch(part, /evil\.test|www/)
      }
    })
  }
})

describe('a mail that was queued before its module could be taken apart', () => {
  it('goes out all the same, with the texts of now', async (t) => {
    const german = defineModule({
      name: 'german',
      dependsOn: [auth],
      mails: [overrideMail(passwordChangedMail, { de: () => ({ subject: 'Geändert', paragraphs: ['Ja.'] }) })],
    })
    const test = await createTestCore({ modules: [...builtinModules, german] })
    t.after(() => test.close())
    for (const locale of ['de-AT', 'en']) {
      const to = `${locale}@example.com`.toLowerCase()
      const told = JSON.stringify({ name: 'Ann', at: '2026-03-03T13:00:00.000Z' })
      const data = test.core.secrets.seal(told, `mail:password_changed:${to}`)
      const payload = { to, kind: 'password_changed', data, locale, timezone: null, from_name: null }
      await test.core.run((ctx) => ctx.enqueue(sendMail, payload), { tenantId: null })
    }
    await drainJobs(test.core, null)
    const subjects = (await listMailbox(test.dataDir)).map(({ subject }) => subject).sort()
    assert.deepEqual(subjects, ['Geändert', 'Your password was changed'])
  })
})

/** Types: the data of an override is that of the mail. */
export const typed = (mail: MailDefinition) =>
  // @ts-expect-error the mail has no such data
  [mail, overrideMail(verifyEmailMail, { en: ({ data }) => ({ subject: data.nothing, paragraphs: [] }) })]
