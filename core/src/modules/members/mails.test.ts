import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRegistry } from '../../kernel/registry.ts'
import { builtinModules } from '../index.ts'
import { renderMail } from '../mail/render.ts'
import { invitationMail } from './mails.ts'

const { messages } = createRegistry(builtinModules)
const NAMES_MORE = 'Your account was limited. Call 1-800-555-0100'

const invite = (names: object, locale = 'en') =>
  renderMail(
    messages,
    invitationMail,
    { token: 'tok', expiresAt: '2026-03-03T13:00:00.000Z', ...names },
    {
      publicUrl: 'https://app.example.com',
      product: 'Shop',
      brand: { name: NAMES_MORE, primaryColor: null, accentColor: null, logoUrl: null, timezone: null },
      locale,
    },
  )

test('an invitation leads to its page', () => {
  assert.match(invite({ inviterName: 'Bob', tenantName: 'Acme' }).text, /com\/accept-invite\?token=tok\n/)
})

test('names that say more than a name are not in an invitation of somebody whom nobody vouches for', () => {
  const names = { name: NAMES_MORE, inviterName: NAMES_MORE, tenantName: NAMES_MORE }
  const { subject, text, html } = invite(names)
  assert.equal(subject, 'A colleague invites you to join their company')
  assert.match(text, /^Hello,\n/)
  for (const part of [text, html]) assert.doesNotMatch(part, /limited|555/)
  assert.equal(invite(names, 'de').subject, 'Ein Teammitglied lädt Sie ein, dem Unternehmen beizutreten')
})

test('of a company whose person has proven an address, the name is shown but cannot be followed', () => {
  const { subject } = invite({ inviterName: 'Bob', tenantName: 'Booking.com B.V.', isVouched: true })
  assert.equal(subject, 'Bob invites you to join Booking·com B.V.')
})
