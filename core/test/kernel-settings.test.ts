import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  Closed,
  changeOf,
  defineEvent,
  defineModule,
  defineRoute,
  defineSetting,
  type EventRecord,
  type Module,
  RegistryError,
  type SettingLevel,
  SettingsPatch,
  Type,
  Uuid,
} from '#kernel'
import { systemClock } from '../src/kernel/clock.ts'
import type { Config } from '../src/kernel/config/config.ts'
import { createRegistry } from '../src/kernel/registry.ts'
import { settingIn } from '../src/kernel/settings/define.ts'

const Things = Closed({ id: Uuid }, { title: 'Things' })
const thingsChanged = defineEvent('things.changed', { description: 'x', data: Things, settings: 'tenant' })
const route = (method: 'GET' | 'PUT') =>
  defineRoute({
    method,
    path: '/things',
    summary: 'x',
    access: 'self',
    settings: 'tenant',
    response: { 200: Things },
    ...(method === 'PUT' && { body: SettingsPatch('ThingsPatch') }),
    handler: () => ({ id: '' }),
  })
const keeper = defineModule({
  name: 'keeper',
  settingsOf: { tenant: async () => ({}), store: async () => ({}), user: async () => ({}) },
  permissions: { 'thing.set': 'x' },
  events: [thingsChanged],
  routes: [route('GET'), route('PUT')],
})
const size = (level: SettingLevel = 'tenant', spec: object = {}) =>
  defineSetting('size', { level, schema: Type.Integer(), default: 1, ...spec })
const own = (...settings: Module['settings']) => defineModule({ name: 'own', settings })

function problemsOf(...modules: Module[]): readonly string[] {
  try {
    createRegistry(modules)
  } catch (error) {
    assert.ok(error instanceof RegistryError)
    return error.problems
  }
  return []
}

describe('the registry, of settings', () => {
  it('refuses two of one name and level, and says where both are', () => {
    assert.deepEqual(problemsOf(keeper, own(size()), { ...own(size()), name: 'other' }), [
      'two settings of a tenant are named size: in own and other',
    ])
    assert.deepEqual(problemsOf(keeper, own(size('tenant'), size('store'), size('user'))), [])
  })

  it('refuses a default that does not fit, and values to lie over that do not', () => {
    const odd = defineSetting('odd', {
      level: 'tenant',
      schema: Closed({ a: Type.Integer() }),
      default: { a: 1 },
      over: { b: 1 },
    })
    assert.deepEqual(problemsOf(keeper, own(size('tenant', { default: 'large' }), odd)), [
      'setting size (own) has a default that does not fit its schema',
      'setting odd (own) lies over values that do not fit its schema',
    ])
  })

  it('refuses an unknown level and permission, and a permission for what is in no tenant', () => {
    const planet = 'planet' as SettingLevel // as plain JavaScript would
    assert.deepEqual(problemsOf(keeper, own(size(planet))), ['setting size (own) is of the unknown level planet'])
    assert.deepEqual(problemsOf(keeper, own(size('tenant', { permission: 'thing.unset' }))), [
      'setting size (own) asks for the unknown permission thing.unset',
    ])
    assert.deepEqual(problemsOf(keeper, own(size('user', { permission: 'thing.set' }))), [
      'setting size (own) asks for a permission, which nobody holds outside of a tenant',
    ])
  })

  it('refuses a level that nobody keeps, and one that two keep', () => {
    assert.deepEqual(problemsOf(own(size('store'))), [
      'setting size (own) is of a store, whose settings no module keeps',
    ])
    const second = defineModule({ name: 'second', settingsOf: { tenant: async () => ({}) } })
    assert.deepEqual(problemsOf(keeper, second), ['the settings of a tenant are kept twice: by keeper and second'])
  })

  it('refuses a secret, an open object, a name that is none and one that the answer has anyway', () => {
    const key = defineSetting('key', {
      level: 'store',
      schema: Closed({ inner: Type.String({ secret: true }) }),
      default: { inner: '' },
    })
    const open = defineSetting('open', { level: 'store', schema: Type.Object({}), default: {} })
    const id = defineSetting('id', { level: 'tenant', schema: Type.String(), default: '' })
    const shout = defineSetting('Loud-Name', { level: 'store', schema: Type.String(), default: '' })
    const built = defineSetting('constructor', { level: 'store', schema: Type.String(), default: '' })
    assert.deepEqual(problemsOf(keeper, own(built)), ['setting constructor (own) has a name that every object has'])
    assert.deepEqual(problemsOf(keeper, own(key, open, shout)), [
      'setting key (own) is a secret, which whoever may see the settings would read',
      'setting open (own) accepts unknown fields (additionalProperties is missing)',
      'setting Loud-Name (own) has a name that is no snake_case word',
    ])
    assert.deepEqual(problemsOf(keeper, own(id)), [
      'setting id has the name of a field that route GET /api/v1/things answers with',
      'setting id has the name of a field that route PUT /api/v1/things answers with',
    ])
  })

  it('puts what modules declare into body, answer and event, and leaves all three out where there is nothing', () => {
    const shown = defineSetting('shown', { level: 'tenant', schema: Type.String(), default: '', readOnly: true })
    const { routes, events } = createRegistry([keeper, own(size(), shown)])
    const [read, write] = routes
    const fields = (schema: unknown) => Object.keys((schema as { properties: object }).properties)
    assert.deepEqual(fields(read?.response[200]), ['id', 'size', 'shown'])
    assert.deepEqual(fields(write?.body), ['size'])
    assert.deepEqual(fields(events.get('things.changed')?.data), ['id', 'size', 'shown'])
    assert.deepEqual(fields(Things), ['id'], 'the declaration itself stays as it is')
    const empty = createRegistry([keeper])
    assert.deepEqual([empty.routes.length, empty.events.size], [0, 0])
  })
})

describe('a change of settings', () => {
  it('tells of one setting whether it changed', () => {
    const event = (before: object | null, after: object | null) => ({ before, after }) as unknown as EventRecord // no more is read
    const setting = size()
    assert.deepEqual(changeOf(event({ size: 1 }, { size: 2 }), setting), { before: 1, after: 2 })
    for (const [before, after] of [
      [{ size: 1 }, { size: 1 }],
      [{}, { size: 2 }],
      [null, { size: 2 }],
    ] as const)
      assert.equal(changeOf(event(before, after), setting), null)
  })
})

describe('a setting that nobody has set', () => {
  it('has its default, whatever every object brings along', () => {
    const built = defineSetting('constructor', { level: 'tenant', schema: Type.String(), default: 'nobody' })
    const at = { clock: systemClock, config: {} as Config } // neither is read
    assert.equal(settingIn(built, {}, at), 'nobody')
    assert.equal(settingIn(built, { constructor: 'us' }, at), 'us')
  })
})

/** Types: what is read is what the schema says. */
export const typed = () => {
  const { default: value } = defineSetting('size', { level: 'tenant', schema: Type.Integer(), default: 1 })
  // @ts-expect-error it is a number
  return value satisfies string
}
