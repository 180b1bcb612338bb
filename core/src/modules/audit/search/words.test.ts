import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { SEED } from '../../../testing/seed.ts'
import { asciiPattern, fold, hasWord, termRange, termsOf } from './words.ts'

const finds = (name: string, q: string) => hasWord(name, fold(q))

describe('a word of a name', () => {
  test('is found by its beginning, with what follows it', () => {
    for (const q of ['Ada', 'ada by', 'BYRON', 'b', 'ada  byron', ' byron ']) assert.ok(finds('Ada Byron', q), q)
    for (const q of ['yron', 'da', 'ada n', 'byron ada', 'ada byrons']) assert.ok(!finds('Ada Byron', q), q)
  })

  test('begins after a space and wherever letters or digits begin', () => {
    for (const q of ['store.up', 'updated', 'password_ch', 'changed'])
      assert.ok(finds('store.updated password_changed', q))
    for (const q of ['brien', "o'b", '#12', '12', 'é']) assert.ok(finds("O'Brien #12 é", q), q)
    for (const q of ['.up', '_ch', "'b"]) assert.ok(!finds("store.updated password_changed O'Brien", q), q)
  })

  test('begins at each character of a script without spaces', () => {
    assert.ok(finds('東京支店', '支店'))
    assert.ok(finds('ร้านกาแฟ', 'กาแฟ'))
  })

  test('is the same in letters of any case, width and composition', () => {
    const same = [
      ['Straße', 'STRASSE'],
      ['Café', 'café'.normalize('NFD')],
      ['Ａｄａ', 'ada'],
      ['ﬁne', 'FINE'],
      ['İstanbul', 'istanbul'],
      ['ΟΔΟΣ', 'οδος'],
      ['ΟΔΟΣ Β', 'οδοσ β'],
    ] as const // pairs, not lists
    for (const [name, q] of same) assert.ok(finds(name, q) && finds(q, name), q)
  })

  test('counts within the first 200 characters', () => {
    assert.ok(finds(`${'x'.repeat(198)} word`, 'word'))
    assert.ok(!finds(`${'x'.repeat(200)} word`, 'word'))
  })
})

const unit = fc.constantFrom(...'aAbß .-_éİﬁ東支😀\u0301\u{10ffff}\ud7ff\ue000')

test('a dictionary of terms finds what looking at each name finds', () => {
  const text = fc.string({ unit, maxLength: 80 })
  fc.assert(
    fc.property(text, text, fc.nat(10), (name, other, from) => {
      const part = (text: string, at: number, length: number) => [...text].slice(at, at + length).join('')
      for (const q of [other, part(other, 0, 2), part(name, from, 3)]) {
        const prefix = fold(q)
        if (prefix === '') continue
        const { from, before } = termRange(prefix)
        const byTerm = termsOf(name).some(
          (term) => compare(term, from) >= 0 && (before === null || compare(term, before) < 0),
        )
        assert.equal(byTerm && hasWord(name, prefix), hasWord(name, prefix), JSON.stringify([name, q]))
        if ([...prefix].length <= 60) assert.equal(byTerm, hasWord(name, prefix), JSON.stringify([name, q]))
      }
    }),
    { numRuns: 2_000, seed: SEED },
  )
})

/** Byte by byte, as PostgreSQL does. */
const compare = (one: string, other: string) => Buffer.compare(Buffer.from(one), Buffer.from(other))

test('a pattern matches every plain name that has the word', () => {
  const unit = fc.constantFrom(...'aB1 .*+?()[]{}|\\^$_-/\'"')
  fc.assert(
    fc.property(fc.string({ unit, maxLength: 30 }), fc.nat(20), fc.nat(5), (name, at, length) => {
      const prefix = fold(name.slice(at, at + length))
      const pattern = prefix === '' ? null : asciiPattern(prefix)
      if (pattern !== null && hasWord(name, prefix)) assert.match(name.trim(), new RegExp(pattern, 'i'))
    }),
    { numRuns: 2_000, seed: SEED },
  )
  assert.equal(asciiPattern('é'), null)
})
