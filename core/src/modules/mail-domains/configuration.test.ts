import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, it } from 'node:test'
import { ConfigError, loadConfig } from '#kernel'
import { mailDomainConfiguration } from './configuration.ts'

const modules = [{ name: 'mail-domains', configuration: mailDomainConfiguration }]
const read = (source: Record<string, string>) =>
  loadConfig({ NODE_ENV: 'test', ...source }, modules).of(mailDomainConfiguration)
const keyOf = (bits: number) =>
  generateKeyPairSync('rsa', {
    modulusLength: bits,
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'der' },
  }).privateKey.toString('base64')

describe('the settings of mail domains', () => {
  it('are read, each in its form', () => {
    const values = read({
      MAIL_DNS_SERVERS: '9.9.9.9, 127.0.0.1:5353, [2620:fe::fe]:53, 2620:fe::9',
      MAIL_SPF_INCLUDE: '_spf.Provider.example',
      MAIL_DKIM_SELECTOR: 'mail2026',
      MAIL_DKIM_PRIVATE_KEY: keyOf(2048),
    })
    assert.deepEqual(values.MAIL_DNS_SERVERS, ['9.9.9.9', '127.0.0.1:5353', '[2620:fe::fe]:53', '2620:fe::9'])
    assert.equal(values.MAIL_SPF_INCLUDE, '_spf.provider.example')
    assert.match(values.MAIL_DKIM_PRIVATE_KEY ?? '', /^-----BEGIN PRIVATE KEY-----\n/)
  })

  it('that are wrong, weak or half set refuse the start, and say nothing of a secret', () => {
    const weak = keyOf(1024)
    const wrong: [source: Record<string, string>, problem: RegExp][] = [
      [{ MAIL_DNS_SERVERS: 'dns.example.com' }, /MAIL_DNS_SERVERS must list IP addresses/],
      [{ MAIL_DNS_SERVERS: '1.2.3.4:99999' }, /MAIL_DNS_SERVERS must list IP addresses/],
      [{ MAIL_SPF_INCLUDE: 'a b' }, /MAIL_SPF_INCLUDE must be a host name/],
      [{ MAIL_SPF_INCLUDE: 'x ~all' }, /MAIL_SPF_INCLUDE must be a host name/],
      [{ MAIL_DKIM_SELECTOR: 'a.b;c', MAIL_DKIM_PRIVATE_KEY: keyOf(2048) }, /MAIL_DKIM_SELECTOR must be one label/],
      [
        { MAIL_DKIM_SELECTOR: 'a', MAIL_DKIM_PRIVATE_KEY: weak },
        /MAIL_DKIM_PRIVATE_KEY must be an RSA key of 2048 bits/,
      ],
      [{ MAIL_DKIM_SELECTOR: 'a', MAIL_DKIM_PRIVATE_KEY: 'nonsense' }, /MAIL_DKIM_PRIVATE_KEY must be an RSA key/],
      [{ MAIL_DKIM_SELECTOR: 'a' }, /are set together, or not at all/],
    ]
    for (const [source, problem] of wrong)
      assert.throws(
        () => read(source),
        (error: Error) =>
          error instanceof ConfigError && problem.test(error.message) && !error.message.includes(weak.slice(0, 40)),
        JSON.stringify(source),
      )
  })
})
