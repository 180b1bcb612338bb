import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { TxtAnswer } from '#kernel'
import { type RecordKey, type RecordState, stateOf, wantedRecords } from './records.ts'

const row = { domain: 'shop.example.com', challenge: 'abc', selector: 'm1x', public_1: 'KEY1', public_2: 'KEY2' }
const wanted = wantedRecords(row, '_spf.provider.example')
const recordOf = (key: RecordKey) => wanted.find((record) => record.key === key) ?? assert.fail(key)
const known = (...texts: string[]): TxtAnswer => ({ isKnown: true, texts })
const stateIn = (key: RecordKey, ...texts: string[]) => stateOf(recordOf(key), [known(...texts)])

function expect(key: RecordKey, cases: [state: RecordState, ...texts: string[]][]) {
  for (const [state, ...texts] of cases) assert.equal(stateIn(key, ...texts), state, JSON.stringify(texts))
}

describe('a record as it stands in DNS', () => {
  it('of what is to be copied is found', () => {
    for (const record of wanted) assert.equal(stateOf(record, [known(record.value)]), 'found', record.key)
  })

  it('of the proof is the very text, beside those of others', () => {
    expect('verification', [
      ['missing'],
      ['missing', 'v=spf1 -all', 'other-verification=abc'],
      ['different', 'mail-domain-verification=abcd', 'mail-domain-verification=ab'],
      ['found', 'mail-domain-verification=zzz', ' mail-domain-verification=abc ', 'something else'],
      ['different', 'mail-domain-verification=ABC'],
    ])
  })

  it('of a key is one that a receiver takes for it, and the only one', () => {
    expect('dkim_1', [
      ['found', 'p=KEY1'],
      ['found', 'v=DKIM1;k=rsa;h=sha1:sha256;s=*;t=s;p= KE Y1 ;'],
      ['found', 'v=DKIM1; s=email; p=KEY1; n=a note'],
      ['missing'],
      ['different', 'v=DKIM1; p='],
      ['different', 'v=DKIM1; p=KEY2'],
      ['different', 'v=DKIM2; p=KEY1'],
      ['different', 'k=ed25519; p=KEY1'],
      ['different', 'h=sha1; p=KEY1'],
      ['different', 's=tlsrpt; p=KEY1'],
      ['different', 't=y:s; p=KEY1'],
      ['different', 'p=KEY1', 'p=KEY2'],
      ['different', 'v=spf1 -all'],
    ])
  })

  it('of DMARC counts from the registered domain too, and of SPF with its include', () => {
    expect('dmarc', [
      ['found', 'v=DMARC1; p=reject; rua=mailto:a@example.com'],
      ['different', 'v=DMARC1; rua=mailto:a@example.com'],
      ['different', 'v=DMARC1; p=none', 'v=DMARC1; p=reject'],
      ['missing', 'v=DMARC12; p=none'],
    ])
    assert.deepEqual(recordOf('dmarc').elsewhere, ['_dmarc.example.com'])
    assert.equal(stateOf(recordOf('dmarc'), [known(), known('v=DMARC1; p=none')]), 'found')
    expect('spf', [
      ['found', 'v=spf1 mx include:_spf.provider.example -all'],
      ['different', 'v=spf1 include:_spf.provider.example.evil.com -all'],
      ['different', 'v=spf1 include:_spf.provider.example -all', 'v=spf1 mx -all'],
      ['missing', 'other'],
    ])
  })

  it('that nobody could ask for is neither there nor gone', () => {
    assert.equal(stateOf(recordOf('dkim_1'), [{ isKnown: false }]), 'unreachable')
  })

  it('is one of the words, in little time, whatever a stranger writes there', () => {
    const piece = fc.oneof(
      fc.string(),
      fc.constantFrom('v=DKIM1', ';', '=', 'p=KEY1', ' '.repeat(500), 'v=spf1 ', 'v=DMARC1'),
    )
    const text = fc.array(piece, { maxLength: 30 }).map((parts) => parts.join(''))
    fc.assert(
      fc.property(fc.array(text, { maxLength: 50 }), (texts) => {
        for (const record of wanted) assert.match(stateOf(record, [known(...texts)]), /^(found|missing|different)$/)
      }),
    )
  })
})
