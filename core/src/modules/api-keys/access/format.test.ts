import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { formOf, looksLikeKey, makeKey } from './format.ts'

/** As docs/api-keys.md gives it to secret scanners. */
const PUBLISHED = /tk_live_[0-9A-Za-z]{8}_[0-9A-Za-z]{38}/

describe('the form of a key', () => {
  test('is the published one, with its prefix in it', () => {
    for (let i = 0; i < 200; i++) {
      const { key, prefix } = makeKey()
      assert.match(key, new RegExp(`^${PUBLISHED.source}$`))
      assert.equal(key.slice(8, 16), prefix)
      assert.equal(formOf(key), 'ours')
    }
  })

  test('ends in the CRC-32 of the rest, so that anybody can tell a typing error', () => {
    // Reckoned by another program.
    assert.equal(formOf('tk_live_00000000_000000000000000000000000000000003dy4zX'), 'ours')
    assert.equal(formOf('tk_live_00000000_000000000000000000000000000000003dy4zY'), 'broken')
    assert.equal(formOf('tk_live_00000001_000000000000000000000000000000003dy4zX'), 'broken')
  })

  test('shows any one letter that is wrong', () => {
    const letter = fc.constantFrom(...'09AZaz_-.é')
    fc.assert(
      fc.property(fc.nat(54), letter, (place, other) => {
        const { key } = makeKey()
        if (key[place] === other) return
        const wrong = key.slice(0, place) + other + key.slice(place + 1)
        assert.notEqual(formOf(wrong), 'ours')
      }),
    )
  })

  test('is drawn fairly from all 62 letters', () => {
    const counts = new Map<string, number>()
    for (let i = 0; i < 2_000; i++)
      for (const letter of makeKey().key.slice(17, 49)) counts.set(letter, (counts.get(letter) ?? 0) + 1)
    assert.equal(counts.size, 62)
    // 64,000 letters: 1,032 of each; a draw by remainder alone would give the first eight a quarter more.
    for (const [letter, count] of counts) assert.ok(count > 850 && count < 1_220, `${letter}: ${count}`)
  })

  test('of what was made elsewhere is anything long enough', () => {
    assert.equal(formOf('garbage'), 'broken')
    assert.equal(looksLikeKey('garbage'), false)
    assert.equal(formOf('sk_0123456789abcdefghij'), 'foreign')
    assert.equal(formOf('x'.repeat(513)), 'broken')
    assert.equal(formOf('tk_live_'), 'broken')
  })
})
