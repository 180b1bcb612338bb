import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { plainName, safeName } from './safe-name.ts'

describe('names', () => {
  const cases: [given: string, shown: string][] = [
    ['Zoë O’Brien-Łuk', 'Zoë O’Brien-Łuk'],
    ['J.R. Smith, Jr.', 'J.R. Smith, Jr.'],
    ['王小明', '王小明'],
    ['Booking.com B.V.', 'Booking·com B.V.'],
    ['ｅｖｉｌ．ｃｏｍ', 'evil·com'],
    ['evil。com', 'evil·com'],
    ['ev\u200bil.\u200bcom', 'evil·com'],
    ['Call 1-800-555-0100 now', 'Call now'],
    ['Call ４２０ ３３３ now', 'Call now'],
    ['=?utf-8?b?UGF5UGFs?= Ltd', 'Ltd'],
    ['Studio 1984', 'Studio 1984'],
    ['a@b.com', 'a at b·com'],
    ['call HTTPS://evil.com/x now', 'call now'],
    ['javascript:alert(1) Ann', 'Ann'],
    ['\u202Eannabel', 'annabel'],
    ['a\0b\tc\nd', 'a b c d'],
    ['x'.repeat(500), 'x'.repeat(80)],
    ['https://evil.com', 'nobody'],
    [' \n ', 'nobody'],
  ]
  for (const [given, shown] of cases) {
    test(JSON.stringify(given.slice(0, 40)), () => assert.equal(safeName(given, 'nobody'), shown))
  }
})

describe('names that nobody vouches for', () => {
  const more = [
    'Your account was limited. Call 1-800-555-0100',
    'Your account is limited! Call us',
    'Call 1-800-FLOWERS',
    'please call + 49 (89) 1234 56',
    'see evil.example',
    'https://evil.example Ann',
    'ann@evil.example',
    'Urgent: verify',
    'your account will be closed today unless you act now',
    '=?utf-8?q?Ann?=',
    '٠١٢٣٤٥٦',
  ]
  for (const given of more) test(`${given} is no name`, () => assert.equal(plainName(given, 'nobody'), 'nobody'))

  for (const given of [
    'Zoë O’Brien-Łuk',
    'J.R. Smith, Jr.',
    'Dr. Ann Lee',
    'St. Mary’s Clinic No. 5',
    '24/7 Fitness',
    '王小明',
  ])
    test(`${given} is one`, () => assert.equal(plainName(given, 'nobody'), given))
})
