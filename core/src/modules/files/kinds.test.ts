import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DEFAULT_EXTENSIONS, extensionOf, INLINE_TYPES, kindOf, matchesTypes, mediaTypeOf } from './kinds.ts'

describe('kinds of files', () => {
  it('has every extension that is taken by default, once, and none that runs where it is opened', () => {
    assert.equal(new Set(DEFAULT_EXTENSIONS).size, DEFAULT_EXTENSIONS.length)
    for (const extension of DEFAULT_EXTENSIONS) assert.ok(kindOf(extension), extension)
    for (const extension of ['svg', 'html', 'htm', 'js', 'mjs', 'exe', 'sh', 'bat', 'jar', 'docm', 'php', ''])
      assert.ok(!DEFAULT_EXTENSIONS.includes(extension) && !kindOf(extension), extension)
  })

  it('reads the extension behind the last full stop', () => {
    const read: [name: string, extension: string][] = [
      ['a.PDF', 'pdf'],
      ['a.tar.gz', 'gz'],
      ['.a.txt', 'txt'],
      ['.env', ''],
      ['a', ''],
      ['a.', ''],
      ['a..pdf', ''],
      ['a.p d', ''],
      [`a.${'b'.repeat(17)}`, ''],
      ['a.pdf\n', ''],
      ['مرحبا.pdf', 'pdf'],
    ]
    for (const [name, extension] of read) assert.equal(extensionOf(name), extension, name)
  })

  it('reads the name of a media type, with or without parameters', () => {
    assert.equal(mediaTypeOf(' Text/Plain ; charset=utf-8'), 'text/plain')
    for (const text of ['', 'text', 'text/', '/plain', 'text/plain text/html', 'text/*', 'a/b/c', 'text/plain\0'])
      assert.equal(mediaTypeOf(text), undefined, text)
  })

  it('matches types by name and by family, and no type where a rule says nothing', () => {
    assert.equal(matchesTypes('image/png', ['image/*', 'application/pdf']), true)
    assert.equal(matchesTypes('Application/PDF; a=b', ['image/*', ' application/PDF ']), true)
    for (const patterns of [[], [''], ['*'], ['/*'], ['imag/*'], ['image/'], ['image/pn'], ['image'], ['image/*/*']])
      assert.equal(matchesTypes('image/png', patterns), false, patterns.join())
    for (const type of ['', 'image', 'imagex/png', 'image/*'])
      assert.equal(matchesTypes(type, ['image/*']), false, type)
  })

  it('shows only what can hold no script', () => {
    for (const type of INLINE_TYPES) assert.match(type, /^(image|audio|video)\/[\w.-]+$|^text\/plain$/)
  })
})
