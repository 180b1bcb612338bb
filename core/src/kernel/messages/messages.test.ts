import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { pathToFileURL } from 'node:url'
import { defineModule, type Module, RegistryError } from '#kernel'
import { createRegistry } from '../registry.ts'
import { readMessageFiles } from './files.ts'
import { gapsOf, incompleteLanguages } from './problems.ts'

const root = mkdtempSync(join(tmpdir(), 'tenantry-messages-'))
after(() => rmSync(root, { recursive: true }))

/** A module that says this: texts by code, or a file's whole content, by language. */
function saying(name: string, languages: Record<string, Record<string, unknown> | string>): Module {
  const folder = join(root, name)
  mkdirSync(folder, { recursive: true })
  for (const [language, texts] of Object.entries(languages))
    writeFileSync(join(folder, `${language}.json`), typeof texts === 'string' ? texts : JSON.stringify(texts))
  return defineModule({ name, messages: pathToFileURL(`${folder}/`) })
}

function problemsOf(...modules: Module[]): readonly string[] {
  try {
    createRegistry(modules)
  } catch (error) {
    assert.ok(error instanceof RegistryError)
    return error.problems
  }
  return []
}

const RENT = {
  'rent.due': '{count, plural, one {# rent is} other {# rents are}} due on {at, date, moment}.',
  'rent.paid': '{by} paid{late, select, yes { late} other {}}.',
}
const AT = '2026-03-03T13:00:00.000Z'

describe('a text', () => {
  const { messages } = createRegistry([
    saying('texts-rent', {
      en: RENT,
      de: { 'rent.paid': '{by} hat{late, select, yes { zu spät} other {}} bezahlt.' },
      'de-CH': { 'rent.paid': '{by} hat gezahlt.' },
      tlh: { 'rent.due': '{count, plural, other {#}}: {at, date, moment}' },
    }),
  ])
  const paid = (locale: string | null, by: string) =>
    messages.text('rent.paid', { locale, values: { by, late: 'yes' } })
  const due = (values: object, locale?: string, timezone?: string) =>
    messages.text('rent.due', { locale, timezone, values: { count: 2, at: AT, ...values } })

  it('is in the language of the reader, as near as there is one, else in English', () => {
    assert.equal(paid('de-CH', 'Ann'), 'Ann hat gezahlt.')
    for (const locale of ['de', 'de-AT', 'de-DE-1996']) assert.equal(paid(locale, 'Ann'), 'Ann hat zu spät bezahlt.')
    for (const locale of ['fr', 'constructor', 'd', '', '-', null]) assert.equal(paid(locale, 'Ann'), 'Ann paid late.')
  })

  it('has plural forms, and moments as the reader writes them where the reader is', () => {
    assert.equal(due({ count: 1 }), '1 rent is due on March 3, 2026 at 1:00 PM UTC.')
    assert.equal(due({}, 'en-GB', 'Europe/Vienna'), '2 rents are due on 3 March 2026 at 14:00 CET.')
    assert.equal(due({ at: new Date(AT) }, 'en-GB', 'Europe/Vienna'), due({}, 'en-GB', 'Europe/Vienna'))
  })

  it('is in one language throughout, whatever the reader has and this machine speaks', () => {
    assert.equal(due({}, 'de', 'Europe/Vienna'), '2 rents are due on March 3, 2026 at 2:00 PM GMT+1.')
    assert.equal(due({}, 'tlh'), '2: March 3, 2026 at 1:00 PM UTC')
  })

  it('is there for a time zone that is none, and a moment that is none', () => {
    assert.equal(due({}, 'en', 'Mars/Olympus'), '2 rents are due on March 3, 2026 at 1:00 PM UTC.')
    assert.equal(due({ at: 'soon' }), '2 rents are due on soon.')
    assert.equal(due({ at: null }), '2 rents are due on .')
  })

  it('shows values as they are: neither as a message, nor as HTML, nor as a name of JavaScript', () => {
    for (const by of ['{late}', "'{'", '<b>{by}</b>', '#', '{n, plural, other {#}}', '$&', '__proto__'])
      assert.equal(paid('en', by), `${by} paid late.`)
    for (const late of ['constructor', '__proto__', 'other', 'toString'])
      assert.equal(messages.text('rent.paid', { values: { by: 'Ann', late } }), 'Ann paid.')
  })

  it('is refused without its values, and where there is none', () => {
    assert.throws(() => messages.text('rent.paid', { values: { by: 'Ann' } }), /"late" was not provided/)
    const values: object = { by: undefined, late: '' }
    assert.throws(() => messages.text('rent.paid', { values: { ...values } }), /"by" was not provided/)
    assert.throws(() => messages.text('rent.unknown'), /No module of this core has the message rent\.unknown/)
  })

  it('among others is in the one language that all of them are there in', () => {
    const codes = ['rent.due', 'rent.paid']
    assert.equal(messages.languageOf(['rent.paid'], 'de-CH-1996'), 'de-CH')
    assert.equal(messages.languageOf(['rent.paid'], 'de-AT'), 'de')
    for (const locale of ['de-CH', 'fr', null]) assert.equal(messages.languageOf(codes, locale), 'en')
    assert.equal(messages.languageOf([], 'de'), 'en')
  })

  it('of a later module replaces that of an earlier one, and adds a language', () => {
    const later = saying('texts-later', { en: { 'rent.paid': 'Thanks, {by}!' }, fr: { 'rent.paid': 'Merci, {by} !' } })
    const { messages } = createRegistry([saying('texts-earlier', { en: RENT }), later])
    const values = { by: 'Ann', late: '' }
    assert.equal(messages.text('rent.paid', { values }), 'Thanks, Ann!')
    assert.equal(messages.text('rent.paid', { locale: 'fr-CA', values }), 'Merci, Ann !')
  })
})

describe('the registry, of messages', () => {
  it('tells all problems at once', () => {
    const rent = saying('rent', { en: RENT })
    const own = saying('own', {
      en: { 'rent.paid': '{by} paid {amount}', 'own.broken': 'Hello {name' },
      de: {
        'rent.due': '{at} {count, date} {at, date, lnog}',
        'rent.paid': '{by} {late} {late, number}',
        'rent.gone': 'Weg',
        'own.broken': 'Hallo {name}',
        Rent: 'x',
        'rent.empty': ' ',
        'rent.list': ['x'],
        'rent.long': 'x'.repeat(10_001),
      },
      'en_GB!': {},
      fr: '{"rent.paid": "{by}", "rent.paid": "{by} !"}',
      it: '[]',
      nl: '{',
    })
    assert.deepEqual(problemsOf(rent, own), [
      'message Rent (own) has a code that is not like mail.rent.subject',
      'message rent.empty in de (own) has no text',
      'message rent.list in de (own) has no text',
      'message rent.long in de (own) is longer than 10000 characters',
      'module own has messages in the unknown language en_GB!',
      'fr.json of module own is no file of messages: a code stands there twice',
      'it.json of module own is no file of messages: it holds no object',
      "nl.json of module own is no file of messages: Expected property name or '}' in JSON at position 1 (line 1 column 2)",
      'message rent.due in de (own) has the unknown style {…, date, lnog}',
      'message rent.due in de (own) uses {at} as a text, which it is not',
      'message rent.due in de (own) uses {count} as a moment, which it is not',
      'message rent.paid in de (own) uses {late} as a text, which it is not',
      'message rent.paid in de (own) uses {late} as a number, which it is not',
      "message rent.gone in de (own) is in no module's en.json",
      'message rent.paid in en (own) uses {amount}, which it is not told',
      'message own.broken in en (own) does not parse: EXPECT_ARGUMENT_CLOSING_BRACE at character 7',
    ])
  })

  it('refuses a folder that is none, or not there', () => {
    const at = (name: string, path: string) => defineModule({ name, messages: pathToFileURL(join(root, path)) })
    const problems = problemsOf(at('rent', 'nowhere'), defineModule({ name: 'own', messages: new URL('file:///no/') }))
    assert.match(problems[0] ?? '', /^the messages of module rent must end in \/, as a folder: file:/)
    assert.match(problems[1] ?? '', /^the messages of module own cannot be read: ENOENT/)
  })
})

describe('a language', () => {
  const rent = saying('gaps', {
    en: { ...RENT, 'rent.over': 'Over' },
    pl: {
      'rent.due': '{count, plural, one {#} few {#} other {#}}',
      'rent.paid': '{by}{late, select, tak { x} other {}}',
    },
    'en-GB': { 'rent.over': 'Over!' },
  })

  it('is known to lack texts, arguments, choices and plural forms', () => {
    assert.deepEqual(gapsOf(readMessageFiles([rent], []), 'pl'), [
      'rent.due in pl leaves out {at}',
      'rent.due in pl has no text for the plural form many of {count}',
      'rent.over has no text in pl',
      'rent.paid in pl has no text for yes of {late}',
    ])
    for (const language of ['en', 'en-GB']) assert.deepEqual(gapsOf(readMessageFiles([rent], []), language), [])
  })

  it('is told of where it is there in part', () => {
    assert.deepEqual([...incompleteLanguages(createRegistry([rent]).messages)], [['pl', ['rent.over']]])
  })
})
