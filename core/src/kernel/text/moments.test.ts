import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isDate, isMoment, tidyMoment } from './moments.ts'

for (const [given, kept] of [
  ['2026-01-31T12:00:00.000Z', '2026-01-31T12:00:00.000Z'],
  ['2026-01-31t12:00:00z', '2026-01-31T12:00:00.000Z'],
  ['2026-01-31T12:00:00.123456789+05:30', '2026-01-31T06:30:00.123Z'],
  ['2024-02-29T23:59:59-12:00', '2024-03-01T11:59:59.000Z'],
  ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000Z'],
  ['9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z'],
] as const)
  test(`takes the moment ${given}`, () => {
    assert.equal(isMoment(given), true)
    assert.equal(tidyMoment(given), kept)
  })

for (const text of [
  '',
  'now',
  'infinity',
  '-infinity',
  'epoch',
  '2026',
  '2026-01-31',
  '2026-01-31 12:00:00Z',
  '2026-01-31T12:00:00',
  '2026-01-31T12:00Z',
  '2026-02-29T12:00:00Z',
  '2026-13-01T12:00:00Z',
  '2026-01-31T24:00:00Z',
  '2016-12-31T23:59:60Z',
  '2026-01-31T12:00:00+16:00',
  '2026-01-31T12:00:00+23:59',
  '2026-01-31T12:00:00Z[Europe/Berlin]',
  '0000-01-01T00:00:00Z',
  '0000-12-31T23:59:59.999Z',
  '0001-01-01T00:00:00+01:00',
  '9999-12-31T23:59:59-01:00',
  '+010000-01-01T00:00:00Z',
  '-000001-01-01T00:00:00Z',
  '10000-01-01T00:00:00Z',
])
  test(`knows no moment ${JSON.stringify(text)}`, () => assert.equal(isMoment(text), false))

test('a day is one of the calendar, from the year 1 on', () => {
  for (const day of ['0001-01-01', '2024-02-29', '9999-12-31']) assert.equal(isDate(day), true)
  for (const day of ['0000-01-01', '2026-02-29', '2026-00-10', '2026-04-31', '99999-01-01', 'today', ''])
    assert.equal(isDate(day), false, day)
})
