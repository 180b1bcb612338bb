import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import fc from 'fast-check'
import pg from 'pg'
import { createTestDatabase, type TestDatabase } from '../../testing/cluster.ts'
import { SEED } from '../../testing/seed.ts'
import { isoFromPostgres, typeParsers } from './types.ts'

const ZONES = [
  'UTC',
  'Europe/Berlin',
  'Asia/Kathmandu',
  'America/St_Johns',
  'Australia/Eucla',
  'Pacific/Chatham',
  '+05:30',
  '-00:30',
]

describe('times from PostgreSQL', () => {
  let database: TestDatabase
  let client: pg.Client
  before(async () => {
    database = await createTestDatabase()
    client = new pg.Client({ connectionString: database.superuserUrl })
    await client.connect()
  })
  after(async () => {
    await client.end()
    await database.drop()
  })

  it('are ISO 8601 in UTC with milliseconds, whatever the time, its fraction and the session’s time zone', async () => {
    // Years 1 to 9999 in microseconds, and many fractions that end early.
    const second = fc.integer({ min: -62_135_596_800, max: 253_402_300_799 })
    const micros = fc.oneof(
      fc.integer({ min: 0, max: 999_999 }),
      fc.constantFrom(0, 100_000, 120_000, 123_000, 999_999, 1),
    )
    const property = fc.asyncProperty(
      fc.array(fc.tuple(second, micros), { minLength: 50, maxLength: 50 }),
      fc.constantFrom(...ZONES),
      async (times, zone) => {
        await client.query(`set time zone '${zone}'`)
        const { rows } = await client.query<{ text: string; iso: string }>(
          `select t::text as text, to_char(t at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as iso
         from unnest($1::bigint[], $2::int[]) as given(s, us),
           lateral (select timestamptz 'epoch' + s * interval '1 second' + us * interval '1 microsecond' as t) as made`,
          [times.map(([s]) => s), times.map(([, us]) => us)],
        )
        for (const { text, iso } of rows) assert.equal(isoFromPostgres(text), iso, text)
      },
    )
    await fc.assert(property, { numRuns: 60, seed: SEED })
  })

  it('are read in odd forms too', () => {
    const read = {
      '2026-01-31 12:00:00+00': '2026-01-31T12:00:00.000Z',
      '2026-01-31 12:00:00.1+00': '2026-01-31T12:00:00.100Z',
      '2026-01-31 12:00:00.123999+00': '2026-01-31T12:00:00.123Z',
      '2026-01-31 12:00:00.5+05:45': '2026-01-31T06:15:00.500Z',
      '2026-01-01 00:00:00-03:30': '2026-01-01T03:30:00.000Z',
      '1890-01-01 00:53:28+00:53:28': '1890-01-01T00:00:00.000Z',
      '0044-03-15 12:00:00+00 BC': '-000043-03-15T12:00:00.000Z',
      '12026-01-31 12:00:00+00': '+012026-01-31T12:00:00.000Z',
      infinity: 'infinity',
      '-infinity': '-infinity',
    }
    for (const [text, iso] of Object.entries(read)) assert.equal(isoFromPostgres(text), iso)
  })

  it('stay text from the driver on, and big numbers are exact', async () => {
    const typed = new pg.Client({ connectionString: database.superuserUrl, types: typeParsers })
    await typed.connect()
    const { rows } = await typed.query(`select timestamptz '2026-01-31 12:00:00.5+00' as at, date '2026-01-31' as day,
      9007199254740991::bigint as big, 9007199254740993::bigint as bigger, 1.10::numeric as amount, '{"a": 1}'::jsonb as json`)
    assert.deepEqual(rows[0], {
      at: '2026-01-31T12:00:00.500Z',
      day: '2026-01-31',
      big: 9007199254740991,
      bigger: '9007199254740993',
      amount: '1.10',
      json: { a: 1 },
    })
    await typed.end()
  })
})
