import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Closed, defineMail, defineModule, type Module, overrideMail, RegistryError, Type } from '#kernel'
import { createRegistry } from '../src/kernel/registry.ts'

const office = defineModule({ name: 'office', postOffice: { post: async () => null } })
const letter = (kind: string) =>
  defineMail(kind, {
    data: Closed({ name: Type.String() }),
    texts: { en: ({ data }) => ({ subject: data.name, paragraphs: [] }) },
  })
const german = { de: () => ({ subject: 'Hallo', paragraphs: [] }) }

function problemsOf(...modules: Module[]): readonly string[] {
  try {
    createRegistry(modules)
  } catch (error) {
    assert.ok(error instanceof RegistryError)
    return error.problems
  }
  return []
}

describe('the registry, of mails', () => {
  it('refuses two of one kind, and says where both are', () => {
    const two = ['left', 'right'].map((name) => defineModule({ name, mails: [letter('rent.reminder')] }))
    assert.deepEqual(problemsOf(office, ...two), ['two mails are named rent.reminder: in left and right'])
  })

  it('refuses an override of what no module lists, and two of one mail', () => {
    const known = defineModule({ name: 'rent', mails: [letter('rent.reminder')] })
    const texts = (name: string, kind: string) => defineModule({ name, mails: [overrideMail(letter(kind), german)] })
    assert.deepEqual(problemsOf(office, known, texts('own', 'rent.unknown')), [
      'module own overrides the mail rent.unknown, which no module lists',
    ])
    assert.deepEqual(problemsOf(office, known, texts('own', 'rent.reminder'), texts('other', 'rent.reminder')), [
      'two modules override the mail rent.reminder: own and other',
    ])
  })

  it('refuses a mail that nobody can send, and two who would', () => {
    const rent = defineModule({ name: 'rent', mails: [letter('rent.reminder')] })
    assert.deepEqual(problemsOf(rent), [
      'mail rent.reminder (rent) can be sent by nobody: no module fills the slot postOffice',
    ])
    assert.deepEqual(problemsOf(office, { ...office, name: 'second' }), [
      'the slot postOffice is filled twice: by office and second',
    ])
  })

  it('refuses a name, a language, a pause and a schema that are none', () => {
    const odd = defineMail('Rent Reminder', {
      data: Closed({ at: Type.String({ format: 'moment' }) }),
      texts: { 'en_GB!': () => ({ subject: '', paragraphs: [] }) },
      pause: { minutes: 0 },
    })
    const silent = defineMail('silent', { data: Closed({}), texts: {} })
    assert.deepEqual(problemsOf(office, defineModule({ name: 'rent', mails: [odd, silent] })), [
      'mail Rent Reminder (rent) has a name that is not like rent.reminder',
      'mail Rent Reminder (rent) has a text in the unknown language en_GB!',
      "mail Rent Reminder (rent) has the unknown format 'moment'",
      'mail Rent Reminder (rent) has a pause that is no number of minutes',
      'mail silent (rent) has no text in any language',
    ])
    const own = defineModule({ name: 'own', mails: [letter('rent.due'), overrideMail(letter('rent.due'), {})] })
    assert.deepEqual(problemsOf(office, own), ['module own, for the mail rent.due, has no text in any language'])
  })

  it('gives a mail the texts that override its own; the first language stays the first', () => {
    const own = letter('rent.due')
    const texts = defineModule({ name: 'texts', mails: [overrideMail(own, { de: german.de, en: german.de })] })
    const mail = createRegistry([texts, office, defineModule({ name: 'rent', mails: [own] })]).mails.get('rent.due')
    assert.deepEqual(Object.keys(mail?.texts ?? {}), ['en', 'de'])
    assert.equal(mail?.texts.en, german.de)
    assert.deepEqual(Object.keys(own.texts), ['en'])
  })
})
