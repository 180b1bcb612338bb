import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readMessageFiles } from '../src/kernel/messages/files.ts'
import { gapsOf, problemsOfMessages } from '../src/kernel/messages/problems.ts'
import { createRegistry } from '../src/kernel/registry.ts'
import { builtinModules } from '../src/modules/index.ts'

const problems: string[] = []
const files = readMessageFiles(createRegistry(builtinModules).modules, problems)
const inLanguage = (language: string) => files.filter((file) => file.language === language)

describe("the core's own texts", () => {
  it('can be read and parsed, and are told what they use', () => {
    assert.deepEqual(problems, [])
    assert.deepEqual(problemsOfMessages(files, { isThorough: true }), [])
  })

  it('are complete in English and German', () => {
    assert.deepEqual([...new Set(files.map(({ language }) => language))].sort(), ['de', 'en'])
    for (const language of ['en', 'de']) assert.deepEqual(gapsOf(files, language), [])
  })

  it('have each code in one module', () => {
    const codes = inLanguage('en').flatMap(({ texts }) => [...texts.keys()])
    assert.deepEqual(codes, [...new Set(codes)])
  })

  it('address people politely in German, and are written as all German-speaking countries write', () => {
    for (const { texts } of inLanguage('de'))
      for (const [code, text] of texts) assert.doesNotMatch(text, /\b(du|dein\w*|dich|dir|euch|ihr\b)|ß/, code)
  })
})
