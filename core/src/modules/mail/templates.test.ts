import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { plainName, safeName } from './safe-name.ts'
import { type MailKind, type MailRequest, renderMail } from './templates.ts'

const PUBLIC_URL = 'https://app.example.com/core'
const TOKEN = 'tok_3n-AAAA'
const AT = '2026-03-03T13:00:00.000Z'
const base = { publicUrl: PUBLIC_URL, locale: 'en-GB', timezone: 'Europe/Vienna' }
const linked = { name: 'Ann', token: TOKEN, expiresAt: AT }

const requests: { [K in MailKind]: MailRequest<K> } = {
  verify_email: { ...base, kind: 'verify_email', data: linked },
  reset_password: { ...base, kind: 'reset_password', data: linked },
  invitation: { ...base, kind: 'invitation', data: { ...linked, inviterName: 'Bob', tenantName: 'Acme' } },
  password_changed: { ...base, kind: 'password_changed', data: { name: 'Ann', at: AT, ipAddress: '203.0.113.7' } },
  new_sign_in: { ...base, kind: 'new_sign_in', data: { name: 'Ann', at: AT, device: 'Firefox on Linux' } },
  sign_in_attempts: { ...base, kind: 'sign_in_attempts', data: { name: 'Ann', at: AT } },
  email_taken: { ...base, kind: 'email_taken', data: { name: 'Ann', at: AT } },
  audit_retention_shortened: {
    ...base,
    kind: 'audit_retention_shortened',
    data: { name: 'Ann', tenantName: 'Acme', by: 'Bob', days: 30, at: AT },
  },
  new_owner: {
    ...base,
    kind: 'new_owner',
    data: { name: 'Ann', byName: 'Bob', tenantName: 'Acme', email: 'eve@example.com', isInvited: true, at: AT },
  },
  invitations_withdrawn: {
    ...base,
    kind: 'invitations_withdrawn',
    data: {
      name: 'Ann',
      tenantName: 'Acme',
      invitations: [{ email: 'eve@example.com', isRevoked: true }],
      more: 2,
      at: AT,
    },
  },
}

const occurrences = (text: string, part: string) => text.split(part).length - 1

describe('every mail', () => {
  for (const request of Object.values(requests)) {
    const { subject, text, html } = renderMail(request)

    test(`${request.kind} says the same in both parts and has one link`, () => {
      assert.match(subject, /^[^\r\n]{5,}$/)
      assert.match(text, /^Hello Ann,\n/)
      for (const part of [text, html]) {
        assert.equal(occurrences(part, 'https://'), 1)
        assert.ok(part.includes(' 14:00:00 CET'), 'the time is that of the person')
      }
      const words = html.replace(/<title>.*<\/title>/, '').replace(/<[^>]+>/g, ' ')
      for (const line of text.split('\n').filter((line) => line && !line.includes('://'))) {
        assert.ok(words.includes(line.replace(/:$/, '')), line)
      }
    })

    test(`${request.kind} is a whole document that loads nothing`, () => {
      assert.match(html, /^<!doctype html>\n<html lang="en">.*<\/html>\n$/s)
      assert.doesNotMatch(html, /<(script|img|link|iframe|form)\b|\bsrc=|url\(|\son\w+=/i)
    })
  }
})

test('a link carries the token once, under the public address', () => {
  const paths = { verify_email: '/verify-email', reset_password: '/reset-password', invitation: '/accept-invite' }
  for (const [kind, path] of Object.entries(paths)) {
    const { text, html } = renderMail(requests[kind as keyof typeof paths]) // the keys of the literal above
    for (const part of [text, html]) {
      assert.equal(occurrences(part, TOKEN), 1)
      assert.equal(occurrences(part, `${PUBLIC_URL}${path}?token=${TOKEN}`), 1)
    }
  }
})

test('security mails say where from when it is an address, and nothing else', () => {
  assert.match(renderMail(requests.password_changed).text, /from the address 203\.0\.113\.7\./)
  const odd = { name: 'Ann', at: AT, ipAddress: 'http://evil.test', device: null }
  const { text } = renderMail({ ...base, kind: 'new_sign_in', data: odd })
  assert.doesNotMatch(text, /evil/)
  assert.match(text, /Device: unknown/)
})

test('an unknown locale or time zone falls back to English and UTC', () => {
  const odd = { ...requests.verify_email, locale: 'no such!', timezone: 'Mars/Olympus' }
  assert.match(renderMail(odd).text, /until March 3, 2026 at 1:00:00\sPM UTC/)
  const german = { ...requests.verify_email, locale: 'de-AT' }
  assert.match(renderMail(german).text, /3\. März 2026/)
})

test('a name cannot smuggle markup, a line, a link or a header', () => {
  const hostile =
    'Acme\r\nBcc: x@evil.test\u2028<a href="https://evil.test/a?token=1">click</a> http://evil.test www.evil.test'
  const { subject, text, html } = renderMail({
    ...base,
    kind: 'invitation',
    data: { ...linked, name: hostile, inviterName: hostile, tenantName: hostile },
  })
  assert.doesNotMatch(subject, /[\r\n\u2028<>]/)
  for (const part of [text, html]) {
    assert.equal(occurrences(part, '://'), 1)
    assert.doesNotMatch(part, /evil\.test|x@|www/)
  }
  assert.equal(occurrences(html, '<a '), 1)
})

test('signs that mean something in HTML are shown as they are', () => {
  const data = { ...linked, inviterName: `O'Neil`, tenantName: 'Tom & "Jerry"' }
  const { subject, text, html } = renderMail({ ...base, kind: 'invitation', data })
  for (const part of [subject, text]) assert.ok(part.includes(`O'Neil invites you to join Tom & "Jerry"`))
  assert.equal(occurrences(html, 'O&#39;Neil invites you to join Tom &amp; &quot;Jerry&quot;'), 3)
  assert.doesNotMatch(html, /& |"Jerry/)
})

describe('names', () => {
  const cases: [given: string, shown: string][] = [
    ['Zoë O’Brien-Łuk', 'Zoë O’Brien-Łuk'],
    ['J.R. Smith, Jr.', 'J.R. Smith, Jr.'],
    ['王小明', '王小明'],
    ['Booking.com B.V.', 'Booking·com B.V.'],
    ['ｅｖｉｌ．ｃｏｍ', 'evil·com'],
    ['evil。com', 'evil·com'],
    ['ev\u200bil.\u200bcom', 'evil·com'],
    ['Call 1-800-555-0100 now', 'Call now'],
    ['Call ４２０ ３３３ now', 'Call now'],
    ['=?utf-8?b?UGF5UGFs?= Ltd', 'Ltd'],
    ['Studio 1984', 'Studio 1984'],
    ['a@b.com', 'a at b·com'],
    ['call HTTPS://evil.com/x now', 'call now'],
    ['javascript:alert(1) Ann', 'Ann'],
    ['\u202Eannabel', 'annabel'],
    ['a\0b\tc\nd', 'a b c d'],
    ['x'.repeat(500), 'x'.repeat(80)],
    ['https://evil.com', 'nobody'],
    [' \n ', 'nobody'],
  ]
  for (const [given, shown] of cases) {
    test(JSON.stringify(given.slice(0, 40)), () => assert.equal(safeName(given, 'nobody'), shown))
  }
})

describe('names that nobody vouches for', () => {
  const more = [
    'Your account was limited. Call 1-800-555-0100',
    'Your account is limited! Call us',
    'Call 1-800-FLOWERS',
    'please call + 49 (89) 1234 56',
    'see evil.example',
    'https://evil.example Ann',
    'ann@evil.example',
    'Urgent: verify',
    'your account will be closed today unless you act now',
    '=?utf-8?q?Ann?=',
    '٠١٢٣٤٥٦',
  ]
  for (const given of more)
    test(`${given} is no name`, () => {
      assert.equal(plainName(given, 'nobody'), 'nobody')
      const data = { ...linked, name: given, inviterName: given, tenantName: given }
      for (const kind of ['verify_email', 'invitation'] as const) {
        const { subject, text } = renderMail({ ...base, kind, data })
        assert.match(text, /^Hello,\n/)
        if (kind === 'invitation') assert.equal(subject, 'A colleague invites you to join their company')
      }
    })

  for (const given of [
    'Zoë O’Brien-Łuk',
    'J.R. Smith, Jr.',
    'Dr. Ann Lee',
    'St. Mary’s Clinic No. 5',
    '24/7 Fitness',
    '王小明',
  ])
    test(`${given} is one`, () => assert.equal(plainName(given, 'nobody'), given))

  test('of a company whose person has proven an address, the name is shown but cannot be followed', () => {
    const data = { ...linked, inviterName: 'Bob', tenantName: 'Booking.com B.V.', isVouched: true }
    assert.equal(renderMail({ ...base, kind: 'invitation', data }).subject, 'Bob invites you to join Booking·com B.V.')
  })
})
