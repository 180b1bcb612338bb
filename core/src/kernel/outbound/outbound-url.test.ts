import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AppError } from '../errors.ts'
import { checkOutboundUrl } from './outbound-url.ts'

const production = { env: 'production', outboundAllow: [] } as const // the word is the type
const development = { env: 'development', outboundAllow: [] } as const // as above

/** What is said to whoever sent the URL; null when it is taken. */
function objection(url: string, config: Parameters<typeof checkOutboundUrl>[1] = production): string | null {
  try {
    checkOutboundUrl(url, config)
    return null
  } catch (error) {
    assert.ok(error instanceof AppError)
    assert.equal(error.status, 400)
    const [problem] = error.details.errors ?? []
    assert.equal(problem?.pointer, '#/url')
    return problem?.detail ?? ''
  }
}

test('ordinary URLs are taken', () => {
  for (const url of [
    'https://example.com',
    'https://example.com:8443/a/b?key=a@b&c=//d',
    'HTTPS://Example.com/',
    'https://münchen.example/ü',
    'https://1.1.1.1/x',
    'https://[2606:4700:4700::1111]/x',
    `https://example.com/${'x'.repeat(2048 - 20)}`,
  ])
    assert.equal(objection(url), null, url)
})

test('https is asked for in production, http taken elsewhere', () => {
  assert.equal(objection('http://example.com'), 'must be a URL that begins with https://')
  assert.equal(objection('http://example.com', development), null)
})

test('other forms are refused', () => {
  for (const url of [
    ...['', 'example.com', '//example.com', '/path', 'https:', 'https://', 'https:example.com', 'https:/example.com'],
    ...['https:///example.com', 'ftp://example.com', 'file:///etc/passwd', 'javascript:alert(1)', 'data:,x'],
    ...[
      'gopher://example.com',
      'unix:/run/docker.sock',
      'https://exa mple.com',
      'https://example.com/\n',
      '\thttps://a.b',
    ],
    ...['https://exa\u00admple.com', 'https:\\\\example.com', 'https://example.com\\@evil.example', 'https://[::1'],
    ...[
      'https://user@example.com',
      'https://user:password@example.com',
      'https://@example.com',
      'https://:@example.com',
    ],
    ...['https://example.com/#part', 'https://example.com#', 'https://example.com:99999', 'https://999.1.1.1/'],
    `https://example.com/${'x'.repeat(2048 - 19)}`,
  ])
    for (const config of [production, development]) assert.notEqual(objection(url, config), null, url)
})

test('addresses that may not be reached are refused in every spelling', () => {
  for (const host of [
    ...['127.0.0.1', '127.1', '2130706433', '0x7f000001', '0x7f.1', '0177.0.0.1', '017700000001', '127.0.0.1.'],
    ...['１２７.0.0.1', '127。0。0。1', '%31%32%37.0.0.1', '0', '0.0.0.0', '10.1', '169.254.169.254', '0xa9fea9fe'],
    ...['[::1]', '[::]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[::7f00:1]', '[64:ff9b::7f00:1]', '[fd00::1]'],
    ...['[2002:7f00:1::]', '[fe80::1]', '[0:0:0:0:0:0:0:1]', 'localhost', 'LOCALHOST', 'localhost.', 'a.localhost'],
  ]) {
    const said = objection(`https://${host}/`)
    assert.equal(said, 'must lead to a public address', host)
  }
})

test('allowed networks are taken', () => {
  const config = { env: 'production', outboundAllow: ['127.0.0.0/8'] } as const // as above
  for (const host of ['127.0.0.1', '0x7f.1', 'localhost']) assert.equal(objection(`https://${host}/`, config), null)
  for (const host of ['[::1]', '10.0.0.1', '169.254.169.254'])
    assert.equal(objection(`https://${host}/`, config), 'must lead to a public address')
})
