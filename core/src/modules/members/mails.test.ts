import assert from 'node:assert/strict'
import { test } from 'node:test'
import { renderMail } from '../mail/render.ts'
import { invitationMail } from './mails.ts'

const invite = (names: object) =>
  renderMail(
    invitationMail,
    { token: 'tok', expiresAt: '2026-03-03T13:00:00.000Z', ...names },
    { publicUrl: 'https://app.example.com' },
  )

test('an invitation leads to its page', () => {
  assert.match(invite({ inviterName: 'Bob', tenantName: 'Acme' }).text, /com\/accept-invite\?token=tok\n/)
})

test('names that say more than a name are not in an invitation of somebody whom nobody vouches for', () => {
  const name = 'Your account was limited. Call 1-800-555-0100'
  const { subject, text } = invite({ name, inviterName: name, tenantName: name })
  assert.equal(subject, 'A colleague invites you to join their company')
  assert.match(text, /^Hello,\n/)
})

test('of a company whose person has proven an address, the name is shown but cannot be followed', () => {
  const { subject } = invite({ inviterName: 'Bob', tenantName: 'Booking.com B.V.', isVouched: true })
  assert.equal(subject, 'Bob invites you to join Booking·com B.V.')
})
