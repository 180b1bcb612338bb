import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { nextAt, quietUntil } from './quiet-hours.ts'

const NIGHT = { from: '22:00', to: '07:00' }
const until = (at: string, zone: string, hours = NIGHT) => quietUntil(Date.parse(at), zone, hours)

describe('quiet hours', () => {
  const cases: [what: string, at: string, zone: string, hours: typeof NIGHT, end: string | null][] = [
    ['run over midnight', '2026-01-15T22:30:00Z', 'Europe/Berlin', NIGHT, '2026-01-16T06:00:00.000Z'],
    ['begin with their first minute', '2026-01-15T21:00:00Z', 'Europe/Berlin', NIGHT, '2026-01-16T06:00:00.000Z'],
    ['end with their last', '2026-01-16T06:00:00Z', 'Europe/Berlin', NIGHT, null],
    ['do not run by day', '2026-01-15T12:00:00Z', 'Europe/Berlin', NIGHT, null],
    ['go by the clock of the reader', '2026-01-15T21:30:00Z', 'America/New_York', NIGHT, null],
    ['may lie within a day', '2026-01-15T12:30:00Z', 'UTC', { from: '12:00', to: '14:00' }, '2026-01-15T14:00:00.000Z'],
    ['that begin when they end are none', '2026-01-15T12:00:00Z', 'UTC', { from: '12:00', to: '12:00' }, null],
    // In Berlin, 29 March 2026: 02:00 becomes 03:00; 25 October 2026: 03:00 becomes 02:00.
    ['are an hour shorter in spring', '2026-03-28T22:00:00Z', 'Europe/Berlin', NIGHT, '2026-03-29T05:00:00.000Z'],
    ['are an hour longer in autumn', '2026-10-24T21:00:00Z', 'Europe/Berlin', NIGHT, '2026-10-25T06:00:00.000Z'],
    [
      'end with the hour that is left out when they end within it',
      '2026-03-29T00:30:00Z',
      'Europe/Berlin',
      { from: '01:00', to: '02:30' },
      '2026-03-29T01:00:00.000Z',
    ],
    [
      'end when the clock first shows it in the hour that comes twice',
      '2026-10-24T23:30:00Z',
      'Europe/Berlin',
      { from: '01:00', to: '02:30' },
      '2026-10-25T00:30:00.000Z',
    ],
    ['go by half an hour too', '2026-01-15T18:00:00Z', 'Asia/Kolkata', NIGHT, '2026-01-16T01:30:00.000Z'],
    ['of an unknown zone go by UTC', '2026-01-15T23:00:00Z', 'Mars/Olympus', NIGHT, '2026-01-16T07:00:00.000Z'],
  ]
  for (const [what, at, zone, hours, end] of cases) test(what, () => assert.equal(until(at, zone, hours), end))

  test('are over at the moment that they name, whatever the minute and the zone', () => {
    for (const zone of ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kolkata', 'UTC'])
      for (let at = Date.parse('2026-03-27T00:00:00Z'); at < Date.parse('2026-04-06T00:00:00Z'); at += 97 * 60_000) {
        const end = quietUntil(at, zone, NIGHT)
        if (end === null) continue
        assert.ok(Date.parse(end) > at)
        assert.equal(quietUntil(Date.parse(end), zone, NIGHT), null, `${zone} ${end}`)
        assert.notEqual(quietUntil(Date.parse(end) - 60_000, zone, NIGHT), null, `${zone} ${end}`)
      }
  })
})

test('a time of the day comes next at its minute, and on the next day once it is past', () => {
  const next = (at: string, time: string) => nextAt(Date.parse(at), 'Europe/Berlin', time)
  assert.equal(next('2026-01-15T06:59:00Z', '08:00'), '2026-01-15T07:00:00.000Z')
  assert.equal(next('2026-01-15T07:00:00Z', '08:00'), '2026-01-16T07:00:00.000Z')
  assert.equal(next('2026-03-28T20:00:00Z', '02:30'), '2026-03-29T01:00:00.000Z', 'the clock leaves it out')
})
