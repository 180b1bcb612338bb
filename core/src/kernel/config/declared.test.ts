import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ConfigError, loadConfig } from './config.ts'
import {
  type ConfigurationEntries,
  type ConfiguredModule,
  defineConfiguration,
  describeDeclared,
  problemsOfDeclared,
} from './declared.ts'
import { integer, oneOf, secret, url } from './kinds.ts'

const billing = defineConfiguration(
  {
    STRIPE_SECRET: { kind: secret(), default: null, secret: true, required: 'production', description: 'The key.' },
    STRIPE_URL: { kind: url('https'), default: 'https://api.stripe.example', description: 'Where it is.' },
    STRIPE_RETRIES: { kind: integer(0, 9), default: '3', description: 'How often.' },
  },
  ({ STRIPE_RETRIES, STRIPE_SECRET }) =>
    STRIPE_RETRIES > 5 && STRIPE_SECRET === null ? ['STRIPE_RETRIES is for those who have a key.'] : [],
)
const modules: ConfiguredModule[] = [{ name: 'billing', configuration: billing }, { name: 'plain' }]
const declare = (entries: ConfigurationEntries, name = 'own') => ({ name, configuration: defineConfiguration(entries) })
const entry = { kind: oneOf('a', 'b'), default: null, description: 'x' }

function problemsOf(source: Record<string, string>, of = modules): readonly string[] {
  try {
    loadConfig(source, of)
  } catch (error) {
    assert.ok(error instanceof ConfigError)
    return error.problems
  }
  return []
}

const PRODUCTION = {
  NODE_ENV: 'production',
  APP_SECRET: 'kq8Zs1xGv4Lw0bTn7RfYc2HpJd9MuEa5',
  PUBLIC_URL: 'https://app.example.com',
  MAIL: 'off',
}

describe("a module's settings", () => {
  test('are read like the core’s own, and typed', () => {
    const config = loadConfig({ STRIPE_SECRET: ' sk_1 ', STRIPE_RETRIES: '5' }, modules)
    const { STRIPE_SECRET, STRIPE_URL, STRIPE_RETRIES } = config.of(billing)
    const typed: [string | null, string, number] = [STRIPE_SECRET, STRIPE_URL, STRIPE_RETRIES]
    assert.deepEqual(typed, ['sk_1', 'https://api.stripe.example', 5])
    assert.equal(loadConfig({ STRIPE_SECRET: '' }, modules).of(billing).STRIPE_SECRET, null)
    assert.ok(Object.isFrozen(config.of(billing)))
    // @ts-expect-error the module declares no such setting
    assert.equal(config.of(billing).STRIPE_KEY, undefined)
  })

  test('stand in no copy of the configuration that somebody writes out', () => {
    const config = loadConfig({ STRIPE_SECRET: 'sk_leaky' }, modules)
    assert.doesNotMatch(JSON.stringify(config), /sk_leaky/)
    assert.equal({ ...config, dataDir: '/x' }.of(billing).STRIPE_SECRET, 'sk_leaky')
  })

  test('are refused with all others, without their values', () => {
    const problems = problemsOf({ PORT: 'x', STRIPE_SECRET: 'sk with spaces', STRIPE_RETRIES: '10' })
    assert.equal(problems.length, 3)
    assert.ok(problems.some((problem) => problem.startsWith('STRIPE_SECRET must not contain spaces')))
    assert.ok(problems.includes('STRIPE_RETRIES must be a whole number from 0 to 9.'))
    assert.doesNotMatch(problems.join(), /sk with/)
  })

  test('have rules between them, asked once each is well-formed', () => {
    assert.deepEqual(problemsOf({ STRIPE_RETRIES: '6' }), ['STRIPE_RETRIES is for those who have a key.'])
    assert.deepEqual(problemsOf({ STRIPE_RETRIES: '6', STRIPE_SECRET: 'sk' }), [])
  })

  test('may be required, in production or always', () => {
    const missing = ['STRIPE_SECRET is required in production: the module billing needs it.']
    assert.deepEqual(problemsOf({}), [])
    assert.deepEqual(problemsOf(PRODUCTION), missing)
    assert.deepEqual(problemsOf({ ...PRODUCTION, STRIPE_SECRET: 'sk' }), [])
    const always = declare({ OWN_WORD: { ...entry, required: 'always' } })
    assert.deepEqual(problemsOf({}, [always]), ['OWN_WORD is required: the module own needs it.'])
  })

  test('are known to who looks for slips of the pen', () => {
    assert.deepEqual(problemsOf({ STRIPE_SECERT: 'x' }), [
      'STRIPE_SECERT is no setting: STRIPE_SECRET is. Correct the name, or take it out of the environment.',
    ])
    // One letter away from the core's SMTP_URL, and declared: so it is meant.
    const near = declare({ SMTP_URI: entry })
    assert.deepEqual(problemsOf({ SMTP_URI: 'a' }, [near]), [])
    assert.match(String(problemsOf({ SMTP_URI: 'a' })), /SMTP_URI is no setting: SMTP_URL is/)
  })

  test('are not there for a configuration that was read without the module', () => {
    assert.throws(
      () => loadConfig({}).of(billing),
      /Nobody has read STRIPE_SECRET, STRIPE_URL.*loadConfig\(source, modules\)/,
    )
    const others = loadConfig({}, [declare({ OWN_WORD: entry })])
    assert.throws(() => others.of(billing), /Nobody has read STRIPE_SECRET/)
  })

  test('are described by whether they are set, not by what they are', () => {
    assert.deepEqual(describeDeclared({ STRIPE_RETRIES: '4' }, modules), [
      { module: 'billing', says: 'STRIPE_SECRET is not set, STRIPE_URL has its default, STRIPE_RETRIES is set' },
    ])
  })
})

describe('a declaration', () => {
  test('that takes a name of the core, of what is to come or of another module is refused', () => {
    const clash = [
      declare({ APP_SECRET: entry, REDIS_URL: entry, OTEL_NAME: entry, OWN_WORD: entry }),
      declare({ OWN_WORD: entry }, 'other'),
    ]
    const problems = [
      "the setting APP_SECRET (own) is one of the core's own",
      "the setting REDIS_URL (own) is one of the core's own",
      'the setting OTEL_NAME (own) has a name that is kept for what the core is to have',
      'two modules declare the setting OWN_WORD: own and other',
    ]
    assert.deepEqual(problemsOfDeclared(clash), problems)
    assert.deepEqual(problemsOf({}, clash), problems, 'and nothing is read')
  })

  test('with a bare name, a default that is none or a secret that everybody knows is refused', () => {
    const odd = declare({
      WORD: entry,
      own_word: entry,
      OWN_DEFAULT: { ...entry, default: 'c' },
      OWN_SECRET: { kind: secret(), default: 'changeme', secret: true, description: 'x' },
      OWN_NEED: { ...entry, default: 'a', required: 'always' },
    })
    assert.deepEqual(problemsOfDeclared([odd]), [
      'the setting WORD (own) has a name that is not like STRIPE_SECRET',
      'the setting own_word (own) has a name that is not like STRIPE_SECRET',
      'the setting OWN_DEFAULT (own) has a default that must be one of a, b',
      'the setting OWN_SECRET (own) is a secret that has a default, which everybody knows',
      'the setting OWN_NEED (own) is required although it has a default',
    ])
  })
})
