import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Brand, Closed, contrast, defineMail, defineModule, Type } from '#kernel'
import { createRegistry } from '../../kernel/registry.ts'
import { messageFolder } from '../../testing/message-folder.ts'
import { mail } from './index.ts'
import { letters, linkMail } from './letters.fixture.ts'
import { wordsOf } from './mail-parts.fixture.ts'
import { type RenderOptions, renderMail } from './render.ts'

const PUBLIC_URL = 'https://app.example.com/core'
const TOKEN = 'tok_3n-AAAA'
const AT = '2026-03-03T13:00:00.000Z'
const reader: RenderOptions = { publicUrl: PUBLIC_URL, product: 'Shop', locale: 'en-GB', timezone: 'Europe/Vienna' }
const data = { name: 'Ann', token: TOKEN, expiresAt: AT }

const listMail = defineMail('list', {
  data: Closed({ lines: Type.Array(Type.String()), note: Type.String() }),
  values: ({ data }) => data,
})
const list = defineModule({
  name: 'list',
  dependsOn: [mail],
  mails: [listMail],
  messages: messageFolder({ en: { 'mail.list.subject': 'All: {note}', 'mail.list.body': '{note}\n\n{lines}\n\nEnd' } }),
})
const { messages } = createRegistry([mail, letters, list])

const render = (options: Partial<RenderOptions> = {}, changed: object = {}) =>
  renderMail(messages, linkMail, { ...data, ...changed }, { ...reader, ...options })
const renderList = (lines: string[], note = 'Note') => renderMail(messages, listMail, { lines, note }, reader)

const occurrences = (text: string, part: string) => text.split(part).length - 1

describe('a mail', () => {
  test('says the same in both parts', () => {
    const { subject, text, html } = render()
    assert.equal(subject, 'A link for Ann')
    assert.match(text, /^Hello Ann,\n\nIt works .*\n\nFollow it:\nhttps:.*\n\nThat is all\.\n\n-- \nShop\n$/)
    assert.deepEqual(wordsOf({ html, subject }), wordsOf({ text, subject }))
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

  test('leaves out what it has no text for, and lists what it is told line by line', () => {
    const { text, html } = renderList(['One', 'Two\n\nand more'])
    assert.equal(text, 'Hello,\n\nNote\n\nOne\nTwo and more\n\nEnd\n\n-- \nShop\n')
    assert.match(html, />One<br>\nTwo and more<\/p>/)
    assert.doesNotMatch(html, /undefined|<a /)
    assert.match(renderList([]).text, /Note\n\nEnd\n/)
    for (const blank of ['\n\n', '\r\n \r\n', ' \u2028\u2029 ', '\u0085\n'])
      assert.match(renderList([], `One${blank}Two`).text, /Hello,\n\nOne Two\n\nEnd/)
  })

  test('stays below what programs cut off, however much it is told', () => {
    const quotes = '"\'<&>😀'.repeat(1_000)
    for (const lines of [Array.from({ length: 5_000 }, (_, at) => `Line ${at}`), [quotes.repeat(50)], [quotes]]) {
      const { subject, text, html } = renderList(lines, quotes)
      assert.ok(Buffer.byteLength(html) < 100_000, `${Buffer.byteLength(html)} bytes`)
      assert.ok(subject.length <= 250)
      assert.deepEqual(wordsOf({ html, subject }), wordsOf({ text, subject }))
      assert.ok(text.isWellFormed() && subject.isWellFormed())
    }
    assert.match(renderList([quotes.repeat(50)]).text, /…\n\n-- \nShop\n$/)
  })
})

describe('the language', () => {
  const greetingOf = (locale: string | null) => render({ locale }).text.split('\n')[0]

  test("is the recipient's, as near as there is a text", () => {
    assert.equal(greetingOf('de-CH'), 'Grüezi Ann')
    for (const locale of ['de', 'de-AT', 'de-DE-1996']) assert.equal(greetingOf(locale), 'Guten Tag Ann')
    assert.equal(render({ locale: 'de-AT' }).subject, 'Ein Link für Ann (de)')
    assert.match(render({ locale: 'de-AT' }).text, /bis zum 3\. März 2026 um 14:00 MEZ\./)
    assert.match(render({ locale: 'de-AT' }).html, /<html lang="de">/)
    assert.match(render({ locale: 'de-CH' }).html, /<html lang="de-CH">/)
  })

  test('is English where there is none, all of it', () => {
    for (const locale of ['fr', 'constructor', 'no such!', '', null]) {
      assert.equal(greetingOf(locale), 'Hello Ann,')
      assert.match(render({ locale }).text, /until March 3, 2026 at 2:00 PM GMT\+1\. It is en\./)
      assert.match(render({ locale }).html, /<html lang="en">/)
    }
    const { text } = renderMail(messages, listMail, { lines: [], note: 'Note' }, { ...reader, locale: 'de' })
    assert.match(text, /^Hello,\n\nNote/, 'a greeting in another language than the text')
  })

  test('is written where the recipient is, and in UTC where this Node does not know the zone', () => {
    assert.match(render().text, /until 3 March 2026 at 14:00 CET\./)
    assert.match(render({ timezone: 'Mars/Olympus' }).text, /until 3 March 2026 at 13:00 UTC\./)
    assert.match(render({ timezone: null }).text, / 13:00 UTC/)
  })
})

test('a name cannot smuggle markup, a line, a link, a header or a text', () => {
  const hostile =
    'Acme\r\nBcc: x@evil.test\u2028<a href="https://evil.test/a?token=1">click</a> http://evil.test www.evil.test {token} {name, select, other {x}}'
  const { subject, text, html } = render({ brand: { ...BRAND, name: hostile } }, { name: hostile })
  assert.doesNotMatch(subject, /[\r\n\u2028<>]/)
  assert.match(subject, /^A link for Acme Bcc: /)
  assert.match(text, /^Hello,\n/)
  for (const part of [text, html]) {
    assert.equal(occurrences(part, '://'), 1)
    assert.doesNotMatch(part, /evil\.test|x@|www/)
    assert.equal(occurrences(part, TOKEN), 1)
  }
  assert.equal(occurrences(html, '<a '), 1)
  for (const name of ['{language}', "{expiresAt, date, moment} '{'", '#{n, plural, other {#}}']) {
    assert.equal(render({}, { name }).subject, `A link for ${name}`)
    assert.ok(render({}, { name }).text.startsWith(`Hello ${name},\n`))
  }
})

test('signs that mean something in HTML are shown as they are', () => {
  const { subject, html } = render({}, { name: 'O\'Neil & "Jerry"' })
  assert.equal(subject, 'A link for O\'Neil & "Jerry"')
  assert.equal(occurrences(html, 'O&#39;Neil &amp; &quot;Jerry&quot;'), 3)
  assert.doesNotMatch(html, /& |"Jerry/)
})

const BRAND: Brand = { name: 'Acme', primaryColor: '#ffcc00', accentColor: '#00aa55', logoUrl: null, timezone: null }

describe('a mail of a tenant', () => {
  const look = (brand: Partial<Brand>) => {
    const { html, text } = render({ brand: { ...BRAND, ...brand } })
    const [, style = ''] = /class="button"[^>]* style="([^"]*)"/.exec(html) ?? []
    const of = (property: string) => new RegExp(`(?:^|;)${property}:([^;]+)`).exec(style)?.[1] ?? ''
    const dark = /\.button { border-color: (#\w+) /.exec(html)?.[1] ?? ''
    return { html, text, background: of('background'), color: of('color'), border: of('border').slice(-7), dark }
  }

  test('has its name and colours', () => {
    const { html, text, background } = look({})
    assert.equal(background, '#ffcc00')
    assert.match(html, /border-top:4px solid #00aa55/)
    assert.match(html, />Acme<\/p>/)
    assert.match(text, /\n-- \nAcme\n$/)
    assert.match(look({ accentColor: null }).html, /border-top:4px solid #ffcc00/)
  })

  test('has a button that can be read and seen, whatever its colour', () => {
    const steps = ['00', '33', '66', '77', '99', 'cc', 'ff']
    for (const r of steps)
      for (const g of steps)
        for (const b of steps) {
          const { background, color, border, dark } = look({ primaryColor: `#${r}${g}${b}` })
          assert.ok(contrast(background, color) >= 4.5, `${color} on ${background}`)
          for (const [edge, card] of [
            [border, '#ffffff'],
            [dark, '#1f1f23'],
          ] as const) // a pair of each
            assert.ok(contrast(edge, card) >= 3 || contrast(edge, background) >= 3, `${edge} around ${background}`)
        }
  })

  test('has colours and a logo only where they are some', () => {
    const odd = look({ primaryColor: 'red;background:url(https://evil.test)', accentColor: '"><script>' })
    assert.equal(odd.background, '#1d4ed8')
    assert.doesNotMatch(odd.html, /evil|script/)
    for (const logoUrl of ['javascript:alert(1)', 'http://evil.test/x.png', '//evil.test', '/logo.png'])
      assert.doesNotMatch(look({ logoUrl }).html, /<img/)
    const { html } = look({ logoUrl: 'https://app.example.com/logo.png?"x' })
    assert.match(html, /<img src="https:\/\/app\.example\.com\/logo\.png\?&quot;x" alt="Acme"/)
  })

  test('leaves room for its logo, whose form stays, however wide or high it is', () => {
    const roomOf = (width: number, height: number) => {
      const { html } = look({ logoUrl: 'https://app.example.com/logo.png', logoSize: { width, height } })
      return /<img [^>]*(width="\d+" height="\d+" style="width:\d+px;max-width:100%;height:auto)/.exec(html)?.[1]
    }
    const room = (width: number, height: number) =>
      `width="${width}" height="${height}" style="width:${width}px;max-width:100%;height:auto`
    assert.equal(roomOf(256, 256), room(40, 40))
    assert.equal(roomOf(1024, 256), room(160, 40))
    assert.equal(roomOf(1024, 100), room(240, 23))
    assert.equal(roomOf(2, 256), room(1, 40))
  })

  test('shows no name that says more than a name', () => {
    for (const name of ['Booking.com', 'Your account was limited. Call 1-800-555-0100', ''])
      assert.match(look({ name }).text, /\n-- \nShop\n$/)
  })
})
