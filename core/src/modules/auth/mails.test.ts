import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRegistry } from '../../kernel/registry.ts'
import { builtinModules } from '../index.ts'
import { renderMail } from '../mail/render.ts'
import { newSignInMail, passwordChangedMail, resetPasswordMail, verifyEmailMail } from './mails.ts'

const AT = '2026-03-03T13:00:00.000Z'
const reader = { publicUrl: 'https://app.example.com', product: 'Shop' }
const { messages } = createRegistry(builtinModules)

test('a link leads to its page', () => {
  const data = { name: 'Ann', token: 'tok', expiresAt: AT }
  assert.match(renderMail(messages, verifyEmailMail, data, reader).text, /com\/verify-email\?token=tok\n/)
  assert.match(renderMail(messages, resetPasswordMail, data, reader).text, /com\/reset-password\?token=tok\n/)
})

test('security mails say where from when it is an address, and nothing else', () => {
  const changed = { name: 'Ann', at: AT, ipAddress: '203.0.113.7' }
  const seen = renderMail(messages, passwordChangedMail, changed, reader)
  assert.match(seen.text, /from the address 203\.0\.113\.7\./)
  const odd = { name: 'Ann', at: AT, ipAddress: 'http://evil.test', device: null }
  const { text } = renderMail(messages, newSignInMail, odd, reader)
  assert.doesNotMatch(text, /evil|from the address/)
  assert.match(text, /Device: unknown/)
})

test('a device is named in the words of the language', () => {
  const named = (device: string | null, locale: string) =>
    /(?:Device|Gerät): (.*)/.exec(
      renderMail(messages, newSignInMail, { at: AT, device }, { ...reader, locale }).text,
    )?.[1]
  assert.deepEqual(
    [named('Safari on macOS', 'en'), named('Safari on macOS', 'de')],
    ['Safari on macOS', 'Safari auf macOS'],
  )
  for (const device of ['Unknown device', null, 'call 0800 123456 on Linux'])
    assert.equal(named(device, 'de'), 'unbekannt')
  assert.equal(named('curl', 'de'), 'curl')
})
