import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { readDomain } from './names.ts'

const place = {
  http: { publicUrl: 'https://app.platform.co.uk' },
  mail: { from: { name: 'Platform', address: 'no-reply@mail.platform.example' } },
} as Parameters<typeof readDomain>[1] // the rest of a configuration is not read

const read = (text: string) => readDomain(text, place)

describe('a domain that mails are to come from', () => {
  it('is kept in ASCII and in lower case', () => {
    const spelled: [given: string, kept: string][] = [
      ['Example.COM', 'example.com'],
      [' shop.example.co.uk ', 'shop.example.co.uk'],
      ['müller.de', 'xn--mller-kva.de'],
      ['ｅｘａｍｐｌｅ．ｃｏｍ', 'example.com'],
      ['my.github.io', 'my.github.io'],
      ['example.com.', 'example.com'],
    ]
    for (const [given, kept] of spelled) assert.deepEqual(read(given), { domain: kept }, given)
  })

  it('is none that belongs to nobody, to the installation, or to no public internet', () => {
    const refused: [given: string, problem: RegExp][] = [
      ['co.uk', /under this one anybody/],
      ['com', /must be a domain name/],
      ['github.io', /under this one anybody/],
      ['platform.co.uk', /this installation/],
      ['evil.app.platform.co.uk', /this installation/],
      ['localhost', /domain name/],
      ['corp.internal', /public internet/],
      ['printer.local', /public internet/],
      ['127.0.0.1', /domain name/],
      ['0x7f.1', /domain name/],
      ['[::1]', /domain name/],
      ['::1', /domain name/],
      ['example.com..', /domain name/],
      ['.', /domain name/],
      ['exa mple.com', /domain name/],
      ['example.com\r\nBcc: a@b.c', /domain name/],
      ['example.com\u0000', /domain name/],
      ['example.com\u2028x.com', /domain name/],
      ['<example.com>', /domain name/],
      ['a@example.com', /domain name/],
      ['*.example.com', /domain name/],
      ['_dmarc.example.com', /domain name/],
      ['-a.example.com', /domain name/],
      [`${'a'.repeat(64)}.example.com`, /domain name/],
      [`${'a.'.repeat(100)}example.com`, /at most 200/],
      ['example.com; p=x', /domain name/],
      ['', /domain name/],
    ]
    for (const [given, problem] of refused) {
      const found = read(given)
      assert.ok('problem' in found && problem.test(found.problem), `${JSON.stringify(given)}: ${JSON.stringify(found)}`)
    }
  })

  it('has nothing but letters, digits, hyphens and dots, whatever was typed', () => {
    const odd = fc.constantFrom(
      '\r\n',
      '\0',
      '\u2028',
      '<',
      '>',
      ',',
      ';',
      '"',
      '=?utf-8?q?a?=',
      ' ',
      '@',
      '。',
      'ß',
      '\u00ad',
    )
    const typed = fc
      .array(fc.oneof(odd, fc.string({ maxLength: 8 }), fc.constant('a'), fc.constant('.com')), { maxLength: 8 })
      .map((parts) => parts.join(''))
    fc.assert(
      fc.property(typed, (text) => {
        const found = read(text)
        if ('domain' in found) assert.match(found.domain, /^[a-z\d-]+(\.[a-z\d-]+)+$/)
      }),
    )
  })
})
