import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import Type from 'typebox'
import {
  Closed,
  defineModule,
  defineRoute,
  type ModuleSpec,
  type RateLimitSpec,
  RegistryError,
  type RouteSpec,
} from '#kernel'
import { createRegistry } from './registry.ts'

const spec = (fields: object = {}): RateLimitSpec => ({
  per: 'person',
  max: 5,
  windowSeconds: 60,
  description: 'For tests',
  ...fields,
})
const limits = {
  pages_per_minute: { title: 'Pages', per: 'minute' },
  stores: { title: 'Stores', counts: 'stores' },
} as const // words

function problemsOf(fields: Omit<ModuleSpec, 'name'>): readonly string[] {
  try {
    createRegistry([defineModule({ name: 'own', limits, ...fields })])
  } catch (error) {
    assert.ok(error instanceof RegistryError)
    return error.problems
  }
  return []
}

const declared = (fields: object, name = 'reports') => problemsOf({ rateLimits: { [name]: spec(fields) } })

type AnyRoute = RouteSpec<undefined, undefined, undefined, { 200: null }>
const named = (route: object, rateLimits: Record<string, RateLimitSpec> = { reports: spec() }) =>
  problemsOf({
    rateLimits,
    routes: [
      defineRoute({
        method: 'POST',
        path: '/things',
        summary: 'Do',
        access: 'self',
        rateLimit: 'reports',
        response: { 200: null },
        handler: () => undefined,
        ...(route as Partial<AnyRoute>), // wrong on purpose where a test is about wrong ones
      }),
    ],
  })
const ofRoute = (problem: string) => [`route POST /api/v1/things (own) ${problem}`]
const ofLimit = (problem: string) => [`rate limit reports (own) ${problem}`]

describe('the declaration of a rate limit', () => {
  it('is taken with each kind of subject, a figure or a limit per minute', () => {
    for (const per of ['address', 'account', 'person', 'key', 'tenant']) assert.deepEqual(declared({ per }), [])
    assert.deepEqual(declared({ max: { limit: 'pages_per_minute' } }), [])
    assert.deepEqual(declared({ windowSeconds: 86_400, max: 1_000_000_000 }), [])
  })

  it('is refused with a name that another has, or that a header cannot carry', () => {
    assert.deepEqual(declared({}, 'public'), ['two rate limits are named public: in kernel and own'])
    assert.deepEqual(declared({}, 'no"word'), ['rate limit no"word (own) has a name that is no snake_case word'])
  })

  it('is refused with figures that are none', () => {
    for (const max of [0, -1, 1.5, Number.NaN, '5', null, 1_000_000_001])
      assert.deepEqual(
        declared({ max }),
        ofLimit('has a max that is neither a whole number from 1 to 1000000000 nor a limit'),
      )
    for (const windowSeconds of [0, -1, 0.5, 86_401, '60'])
      assert.deepEqual(
        declared({ windowSeconds }),
        ofLimit('has a windowSeconds that is no whole number from 1 to 86400'),
      )
  })

  it('is refused with an unknown subject, or without a description', () => {
    assert.deepEqual(
      declared({ per: 'planet' }),
      ofLimit('counts per planet, which is none of address, account, person, key, tenant'),
    )
    assert.deepEqual(declared({ description: ' ' }), ofLimit('has no description'))
  })

  it('is refused with the figure of a limit that is not per minute', () => {
    for (const limit of ['stores', 'nothing'])
      assert.deepEqual(
        declared({ max: { limit } }),
        ofLimit(`takes its max from ${limit}, which is no limit per minute`),
      )
    assert.deepEqual(
      declared({ max: { limit: 'pages_per_minute' }, windowSeconds: 10 }),
      ofLimit('takes its max from a limit per minute, so its windowSeconds must be 60'),
    )
  })

  it('leaves the limit that the kernel asks plans for one per minute', () => {
    assert.deepEqual(problemsOf({ limits: { requests_per_minute: { title: 'x', counts: 'stores' } } }), [
      'limit requests_per_minute must be one per minute',
    ])
  })
})

describe('the rate limit of a route', () => {
  it('is taken alone or among others', () => {
    assert.deepEqual(named({}), [])
    const more = { reports: spec(), others: spec() }
    assert.deepEqual(named({ rateLimit: ['reports', 'others'] }, more), [])
  })

  it('is refused where it is unknown, named twice, or applies by itself', () => {
    assert.deepEqual(named({ rateLimit: 'reprots' }), ofRoute('names the unknown rate limit reprots'))
    assert.deepEqual(named({ rateLimit: ['reports', 'reports'] }), ofRoute('names the rate limit reports twice'))
    for (const name of ['public', 'user', 'key', 'tenant', 'auth_account'])
      assert.deepEqual(named({ rateLimit: name }), ofRoute(`names the rate limit ${name}, which applies by itself`))
  })

  it('is refused where nobody could be counted for it', () => {
    for (const per of ['person', 'key', 'tenant'])
      assert.deepEqual(
        named({ access: 'public' }, { reports: spec({ per }) }),
        ofRoute(`is public, but names the rate limit reports, which counts per ${per}`),
      )
    const keys = { reports: spec({ per: 'key' }) }
    const forPeople = ofRoute('is for people, but names the rate limit reports, which counts per key')
    assert.deepEqual(named({ callers: 'people' }, keys), forPeople)
    assert.deepEqual(named({ access: 'self' }, keys), forPeople)
    assert.deepEqual(named({ access: 'self', callers: 'all' }, keys), [])
    const account = { reports: spec({ per: 'account' }) }
    const problem = ofRoute('names the rate limit reports, which counts per account, but has no email in its body')
    assert.deepEqual(named({ access: 'public' }, account), problem)
    assert.deepEqual(named({ access: 'public', body: Closed({ name: Type.String() }) }, account), problem)
    assert.deepEqual(named({ access: 'public', body: Closed({ email: Type.String() }) }, account), [])
    assert.deepEqual(named({ reach: 'probe' }), ofRoute('names a rate limit, but stands where nothing is counted'))
  })

  it('is auth on public routes alone', () => {
    assert.deepEqual(named({ rateLimit: 'auth', access: 'public' }), [])
    assert.deepEqual(named({ rateLimit: 'auth' }), ofRoute('names the rate limit auth, which is for public routes'))
  })

  it('takes the place of a limit per minute that nothing consumes', () => {
    assert.deepEqual(
      named({ limit: 'pages_per_minute' }),
      ofRoute('consumes the limit pages_per_minute, which is one of requests per minute: name it in a rate limit'),
    )
  })
})
