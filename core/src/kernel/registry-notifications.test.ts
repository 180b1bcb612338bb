import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Type } from 'typebox'
import { messageFolder } from '../testing/message-folder.ts'
import { defineEvent } from './events/define.ts'
import { Closed } from './http/schemas.ts'
import { defineMail } from './mails/define.ts'
import { defineModule, type ModuleSpec } from './module.ts'
import { defineChannel } from './notices/channels.ts'
import { defineNotification, follows, mailOf } from './notices/define.ts'
import { createRegistry, RegistryError } from './registry.ts'

const data = Closed({ name: Type.String() })
const happened = defineEvent('thing.happened', { description: 'It happened', data })
const bell = defineChannel({ name: 'bell', reaches: async () => [], send: async () => 'sent' })
const plain = { type: 'info', data, audience: 'everyone' } as const // words are types

function problemsOf(spec: Partial<ModuleSpec>): readonly string[] {
  try {
    createRegistry([defineModule({ name: 'things', events: [happened], channels: [bell], ...spec })])
    return []
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error
    return error.problems
  }
}

describe('the start refuses a kind of notification', () => {
  const kinds: [what: string, kind: Parameters<typeof defineNotification>[1], problem: RegExp][] = [
    [
      'for an unknown permission',
      { ...plain, audience: { permission: 'thing.see' } },
      /thing\.see, which no module declares/,
    ],
    ['of an unknown feature', { ...plain, feature: 'shine' }, /needs the feature shine/],
    ['by an unknown channel', { ...plain, channels: ['pigeon'] }, /goes out by pigeon/],
    [
      'with three actions',
      { ...plain, actions: ['a', 'b', 'c'].map((name) => ({ name, route: () => '/' as const })) },
      /more than 2 actions/,
    ],
    [
      'with two actions of one name',
      { ...plain, actions: ['a', 'a'].map((name) => ({ name, route: () => '/' as const })) },
      /two actions of one name/,
    ],
    ['with an action that leads nowhere', { ...plain, actions: [{ name: 'a' }] }, /not either a route or a link/],
    ['that is personal and for everybody', { ...plain, personal: true }, /is personal/],
  ]
  for (const [what, spec, problem] of kinds)
    test(what, () => {
      const [found, ...others] = problemsOf({ notifications: [defineNotification('thing.told', spec as never)] })
      assert.match(found ?? '', problem)
      assert.deepEqual(others, [])
    })

  test('of an event that no module declares', () => {
    const other = defineEvent('thing.lost', { description: 'It is gone', data })
    const kind = defineNotification('thing.told', {
      ...plain,
      on: [follows<typeof data, { name: string }>(other, () => null)],
    })
    assert.match(problemsOf({ notifications: [kind] })[0] ?? '', /follows the event thing\.lost/)
  })

  describe('that nobody could read', () => {
    const notifier = { notify: async () => {}, hear: async () => {} }
    const texts = {
      'notification.thing.told.name': 'Things',
      'notification.thing.told.title': '{name} was told',
      'notification.thing.told.message': 'By somebody.',
      'notification.thing.told.actions.look': 'Look',
    }
    const look = { ...plain, actions: [{ name: 'look', route: () => '/' as const }] }
    const told = (own: Record<string, string>, kind: object = look) =>
      problemsOf({
        notifier,
        messages: messageFolder({ en: own }),
        notifications: [defineNotification('thing.told', kind as never)],
      })
    const [prefix, where] = ['notification thing.told (things)', 'write it into en.json of its module']

    test('as long as all is there it is none', () => assert.deepEqual(told(texts), []))

    for (const code of Object.keys(texts))
      test(`without ${code}`, () => {
        const { [code]: _, ...others } = texts as Record<string, string>
        assert.deepEqual(told(others), [`${prefix} has no message ${code}: ${where}`])
      })

    test('whose texts use what its data does not have, or its name anything', () => {
      const title = { ...texts, 'notification.thing.told.title': '{names} was told' }
      assert.deepEqual(told(title), [`${prefix} has no {names} in its data, which notification.thing.told.title uses`])
      const name = { ...texts, 'notification.thing.told.name': 'Things of {name}' }
      assert.deepEqual(told(name), [`${prefix} has no {name} in its data, which notification.thing.told.name uses`])
    })

    test('whose mail no module lists', () => {
      const mail = mailOf(defineMail('thing.mail', { data }), (told: { name: string }) => told)
      assert.deepEqual(told(texts, { ...look, mail }), [`${prefix} is mailed by thing.mail, which no module lists`])
    })

    test('whose data has a field where its actions are shown', () => {
      const odd = { ...look, data: Closed({ name: Type.String(), actions: Type.String() }) }
      assert.match(told(texts, odd)[0] ?? '', /has a field actions in its data/)
    })
  })

  test('that is there already, and a channel that is', () => {
    const kind = defineNotification('thing.told', plain)
    assert.match(problemsOf({ notifications: [kind, kind] })[0] ?? '', /two notifications are named thing\.told/)
    assert.match(problemsOf({ channels: [bell, bell] })[0] ?? '', /channel bell \(things\) is there already/)
    assert.match(
      problemsOf({ channels: [{ ...bell, name: 'email' }] })[0] ?? '',
      /channel email \(things\) is there already/,
    )
  })
})

test('a kind that fits is known, and what concerns security cannot be switched off', () => {
  const kind = defineNotification('thing.told', { ...plain, security: true, channels: ['in_app', 'bell'] })
  assert.deepEqual(problemsOf({ notifications: [kind] }), [])
  assert.equal(kind.canSwitchOff, false)
})
