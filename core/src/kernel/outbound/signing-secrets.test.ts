import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HOURS, movableClock } from '../clock.ts'
import { createSecretBox } from '../secrets.ts'
import { signatureHeaders } from './signing.ts'
import { publicKeyOf } from './signing-keys.ts'
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
  const { secret: second, columns, previousUntil } = kind.rotate(tools, row)
  assert.equal(columns.previous_until, previousUntil)
  assert.equal(Date.parse(previousUntil) - clock.ms(), 24 * HOURS)
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

test('the overlap is the caller’s: a week, or none, after which the previous secret is nowhere any more', () => {
  const { secret: first, row } = furnish('a')
  const long = kind.rotate(tools, row, { overlapMs: 168 * HOURS })
  assert.equal(Date.parse(long.previousUntil) - clock.ms(), 168 * HOURS)
  assert.deepEqual(kind.open(tools, { id: 'a', ...long.columns }), [long.secret, first])
  const none = kind.rotate(tools, { id: 'a', ...long.columns }, { overlapMs: 0 })
  assert.deepEqual([none.columns.previous_secret, none.columns.previous_until], [null, null])
  assert.equal(none.previousUntil, clock.now())
  assert.deepEqual(kind.open(tools, { id: 'a', ...none.columns }), [none.secret])
  for (const overlapMs of [-1, Number.NaN]) assert.throws(() => kind.rotate(tools, row, { overlapMs }), /overlap/)
})

test('a secret is of the kind that is asked for, and its successor too unless another is asked for', () => {
  const made = kind.create(tools, 'a', 'v1a')
  assert.equal(made.publicKey, publicKeyOf(made.secret))
  assert.equal(kind.create(tools, 'a').publicKey, null)
  const row = { id: 'a', ...made.columns }
  const next = kind.rotate(tools, row)
  assert.equal(next.publicKey, publicKeyOf(next.secret))
  assert.notEqual(next.publicKey, made.publicKey)
  const changed = kind.rotate(tools, { id: 'a', ...next.columns }, { kind: 'v1' })
  assert.equal(changed.publicKey, null)
  // While they overlap both sign, each in its way.
  const headers = signatureHeaders({ id: 'm', body: '' }, kind.open(tools, { id: 'a', ...changed.columns }), 0)
  assert.match(headers['webhook-signature'], /^v1,\S+ v1a,\S+$/)
  const back = kind.rotate(tools, { id: 'a', ...changed.columns })
  assert.match(back.secret, /^whsec_/)
})

test('the successor of a secret that cannot be read is of the kind that is asked for, or a v1', () => {
  const row = { id: 'a', ...kind.create(tools, 'a', 'v1a').columns }
  const without = { clock, secrets: createSecretBox('an-application-secret-of-now-00002') }
  assert.match(kind.rotate(without, row).secret, /^whsec_/)
  assert.match(kind.rotate(without, row, { kind: 'v1a' }).secret, /^whsk_/)
})
