import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Closed, defineMail, defineModule, type Module, RegistryError, Type } from '#kernel'
import { createRegistry } from '../src/kernel/registry.ts'
import { messageFolder } from '../src/testing/message-folder.ts'

const office = defineModule({ name: 'office', postOffice: { post: async () => true } })
const letter = (kind: string) => defineMail(kind, { data: Closed({ name: Type.String() }) })
/** A module that has texts for what it sends. */
const sending = (name: string, kinds: string[], texts: Record<string, string> = {}) => {
  const own = kinds.flatMap((kind) => ['subject', 'body'].map((part) => [`mail.${kind}.${part}`, 'Hello']))
  const messages = messageFolder({ en: { ...Object.fromEntries(own), ...texts } })
  return defineModule({ name, messages, mails: kinds.map(letter) })
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

describe('the registry, of mails', () => {
  it('refuses two of one kind, and says where both are', () => {
    const two = ['left', 'right'].map((name) => sending(name, ['rent.reminder']))
    assert.deepEqual(problemsOf(office, ...two), ['two mails are named rent.reminder: in left and right'])
  })

  it('refuses one that has no texts, and a label for a button that leads nowhere', () => {
    const asking = defineMail('rent.asking', { data: Closed({}), action: ({ link }) => link('/rent') })
    const rent = sending('rent', ['rent.due'], { 'mail.rent.due.action': 'Pay', 'mail.rent.asking.body': 'Pay!' })
    assert.deepEqual(problemsOf(office, { ...rent, mails: [...rent.mails, asking] }), [
      'mail rent.due (rent) has the message mail.rent.due.action and no action that it leads to',
      'mail rent.asking (rent) has no message mail.rent.asking.subject: write it into en.json of its module',
      'mail rent.asking (rent) has no message mail.rent.asking.action: write it into en.json of its module',
    ])
  })

  it('refuses a mail that nobody can send, and two who would', () => {
    assert.deepEqual(problemsOf(sending('rent', ['rent.reminder'])), [
      'mail rent.reminder (rent) can be sent by nobody: no module fills the slot postOffice',
    ])
    assert.deepEqual(problemsOf(office, { ...office, name: 'second' }), [
      'the slot postOffice is filled twice: by office and second',
    ])
    const looks = ['left', 'right'].map((name) => defineModule({ name, brands: async () => null }))
    assert.deepEqual(problemsOf(...looks), ['the slot brands is filled twice: by left and right'])
  })

  it('refuses a name, a pause and a schema that are none', () => {
    const odd = defineMail('Rent Reminder', { data: Closed({ at: Type.String({ format: 'moment' }) }) })
    const hasty = defineMail('rent.hasty', { data: Closed({}), pause: { minutes: 0 } })
    const rent = sending('rent', ['rent.hasty'])
    assert.deepEqual(problemsOf(office, { ...rent, mails: [odd, hasty] }), [
      'mail Rent Reminder (rent) has a name that is not like rent.reminder',
      "mail Rent Reminder (rent) has the unknown format 'moment'",
      'mail rent.hasty (rent) has a pause that is no number of minutes',
    ])
  })
})
