import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HOURS, movableClock } from '../clock.ts'
import { createSecretBox } from '../secrets.ts'
import { defineSigningSecrets, SecretsLost } from './signing-secrets.ts'

const OLD_KEY = 'an-application-secret-of-before-0001'
const clock = movableClock()
clock.stop()
const tools = { clock, secrets: createSecretBox(OLD_KEY) }
const kind = defineSigningSecrets('toys', 'toy', 'secrets of toys')
const furnish = (id: string) => {
  const { secret, columns } = kind.create(tools, id)
  return { secret, row: { id, ...columns } }
}

test('a secret signs alone until it is rotated, then beside the new one for 24 hours to the millisecond', () => {
  const { secret: first, row } = furnish('a')
  assert.deepEqual([row.previous_secret, row.previous_until], [null, null])
  assert.deepEqual(kind.open(tools, row), [first])
  const { secret: second, columns } = kind.rotate(tools, row)
  assert.equal(Date.parse(columns.previous_until) - clock.ms(), 24 * HOURS)
  const rotated = { id: 'a', ...columns }
  assert.deepEqual(kind.open(tools, rotated), [second, first])
  const third = kind.rotate(tools, rotated)
  assert.deepEqual(kind.open(tools, { id: 'a', ...third.columns }), [third.secret, second], 'two at most')
  clock.advance(24 * HOURS - 1)
  assert.deepEqual(kind.open(tools, rotated), [second, first])
  clock.advance(1)
  assert.deepEqual(kind.open(tools, rotated), [second])
  assert.equal(new Set([first, second, third.secret]).size, 3)
})

test('what a row keeps shows no secret, and opens for no other row or kind', () => {
  const { secret, row } = furnish('a')
  assert.equal(JSON.stringify(row).includes(secret.slice('whsec_'.length)), false)
  assert.throws(() => kind.open(tools, { ...row, id: 'b' }), SecretsLost)
  assert.throws(() => defineSigningSecrets('toys', 'other', 'x').open(tools, row), SecretsLost)
})

test('a secret whose application secret has gone is lost until it is rotated; the one of before then signs no more', () => {
  const { row } = furnish('a')
  const without = { clock, secrets: createSecretBox('an-application-secret-of-now-00002') }
  const both = { clock, secrets: createSecretBox(['an-application-secret-of-now-00002', OLD_KEY]) }
  assert.throws(() => kind.open(without, row), SecretsLost)
  const { secret, columns } = kind.rotate(without, row)
  assert.deepEqual(kind.open(without, { id: 'a', ...columns }), [secret])
  assert.equal(kind.open(both, { id: 'a', ...columns }).length, 2)
})
