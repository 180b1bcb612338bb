import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Closed, defineMail } from '#kernel'
import { linkMail } from './letters.fixture.ts'
import { type RenderOptions, renderMail } from './render.ts'

const PUBLIC_URL = 'https://app.example.com/core'
const TOKEN = 'tok_3n-AAAA'
const AT = '2026-03-03T13:00:00.000Z'
const reader: RenderOptions = { publicUrl: PUBLIC_URL, locale: 'en-GB', timezone: 'Europe/Vienna' }
const data = { name: 'Ann', token: TOKEN, expiresAt: AT }
const render = (options: Partial<RenderOptions> = {}, changed: object = {}) =>
  renderMail(linkMail, { ...data, ...changed }, { ...reader, ...options })

const occurrences = (text: string, part: string) => text.split(part).length - 1

describe('a mail', () => {
  test('says the same in both parts', () => {
    const { subject, text, html } = render()
    assert.equal(subject, 'A link for Ann')
    assert.match(text, /^Hello Ann,\n\nIt works until .*\n\nFollow it:\nhttps:.*\n\nThat is all\.\n$/)
    const words = html.replace(/<title>.*<\/title>/, '').replace(/<[^>]+>/g, ' ')
    for (const line of text.split('\n').filter((line) => line && !line.includes('://'))) {
      assert.ok(words.includes(line.replace(/:$/, '')), line)
    }
  })

  test('is a whole document that loads nothing', () => {
    const { html } = render()
    assert.match(html, /^<!doctype html>\n<html lang="en">.*<\/html>\n$/s)
    assert.doesNotMatch(html, /<(script|img|link|iframe|form)\b|\bsrc=|url\(|\son\w+=/i)
  })

  test('carries its token once in each part, in a link under the public address', () => {
    const { text, html } = render()
    for (const part of [text, html]) {
      assert.equal(occurrences(part, TOKEN), 1)
      assert.equal(occurrences(part, `${PUBLIC_URL}/verify-email?token=${TOKEN}`), 1)
    }
  })

  test('leaves out what its text leaves out, and takes an HTML part of its own', () => {
    const bare = defineMail('bare', {
      data: Closed({}),
      texts: {
        en: ({ link }) => ({ subject: 'Bare', paragraphs: [link('/receipts/7')] }),
        de: () => ({ subject: 'Eigen', paragraphs: ['Worte'], html: '<p lang="de">Worte</p>' }),
      },
    })
    const { text, html } = renderMail(bare, {}, reader)
    assert.equal(text, `${PUBLIC_URL}/receipts/7\n`)
    assert.doesNotMatch(html, /undefined|<a /)
    const own = renderMail(bare, {}, { ...reader, locale: 'de' })
    assert.deepEqual([own.text, own.html], ['Worte\n', '<p lang="de">Worte</p>'])
  })
})

describe('the language', () => {
  const greetingOf = (locale: string | null) => render({ locale }).text.split('\n')[0]

  test("is the recipient's, as near as there is a text", () => {
    assert.equal(greetingOf('de-CH'), 'Grüezi Ann,')
    for (const locale of ['de', 'de-AT', 'de-DE-1996']) assert.equal(greetingOf(locale), 'Guten Tag Ann,')
    assert.equal(render({ locale: 'de-AT' }).subject, 'Ein Link (de)')
    assert.match(render({ locale: 'de-AT' }).html, /<html lang="de">/)
  })

  test('is that of the first text where there is none', () => {
    for (const locale of ['fr', 'constructor', '', null]) assert.equal(greetingOf(locale), 'Hello Ann,')
  })

  test('and the time zone that this Node does not know are English and UTC', () => {
    assert.match(render().text, / 14:00:00 CET/)
    assert.match(
      render({ locale: 'no such!', timezone: 'Mars/Olympus' }).text,
      /until March 3, 2026 at 1:00:00\sPM UTC/,
    )
    assert.match(render({ locale: 'fr' }).text, /3 mars 2026/)
  })
})

test('a name cannot smuggle markup, a line, a link or a header', () => {
  const hostile =
    'Acme\r\nBcc: x@evil.test\u2028<a href="https://evil.test/a?token=1">click</a> http://evil.test www.evil.test'
  const { subject, text, html } = render({}, { name: hostile })
  assert.doesNotMatch(subject, /[\r\n\u2028<>]/)
  for (const part of [text, html]) {
    assert.equal(occurrences(part, '://'), 1)
    assert.doesNotMatch(part, /evil\.test|x@|www/)
  }
  assert.equal(occurrences(html, '<a '), 1)
})

test('signs that mean something in HTML are shown as they are', () => {
  const { subject, html } = render({}, { name: 'O\'Neil & "Jerry"' })
  assert.equal(subject, 'A link for O\'Neil & "Jerry"')
  assert.equal(occurrences(html, 'O&#39;Neil &amp; &quot;Jerry&quot;'), 3)
  assert.doesNotMatch(html, /& |"Jerry/)
})
