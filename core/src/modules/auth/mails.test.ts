import assert from 'node:assert/strict'
import { test } from 'node:test'
import { renderMail } from '../mail/render.ts'
import { newSignInMail, passwordChangedMail, resetPasswordMail, verifyEmailMail } from './mails.ts'

const AT = '2026-03-03T13:00:00.000Z'
const reader = { publicUrl: 'https://app.example.com' }

test('a link leads to its page', () => {
  const data = { name: 'Ann', token: 'tok', expiresAt: AT }
  assert.match(renderMail(verifyEmailMail, data, reader).text, /com\/verify-email\?token=tok\n/)
  assert.match(renderMail(resetPasswordMail, data, reader).text, /com\/reset-password\?token=tok\n/)
})

test('security mails say where from when it is an address, and nothing else', () => {
  const seen = renderMail(passwordChangedMail, { name: 'Ann', at: AT, ipAddress: '203.0.113.7' }, reader)
  assert.match(seen.text, /from the address 203\.0\.113\.7\./)
  const odd = { name: 'Ann', at: AT, ipAddress: 'http://evil.test', device: null }
  const { text } = renderMail(newSignInMail, odd, reader)
  assert.doesNotMatch(text, /evil/)
  assert.match(text, /Device: unknown/)
})
