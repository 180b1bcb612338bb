import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  Closed,
  defineEvent,
  defineInbound,
  defineJob,
  defineModule,
  defineResource,
  defineRoute,
  every,
  type InboundSource,
  type InboundSpec,
  type Module,
  type ModuleSpec,
  on,
  onEvery,
  RegistryError,
  type Route,
  type RouteSpec,
  type TSchema,
  Type,
} from '#kernel'
import { createRegistry } from '../src/kernel/registry.ts'

type AnyRoute = RouteSpec<undefined, undefined, undefined, { 200: null }>

const route = (spec: Partial<AnyRoute> & { body?: unknown } = {}): Route =>
  defineRoute({
    method: 'GET',
    path: '/things/:id',
    summary: 'Look',
    access: 'self',
    response: { 200: null },
    handler: () => undefined,
    ...(spec as Partial<AnyRoute>), // wrong on purpose where a test is about wrong ones
  })
const event = defineEvent('thing.made', { description: 'x', data: Closed({ id: Type.String() }) })
const job = defineJob('thing.do', { payload: Closed({}), handler: async () => {} })
const noop = async () => {}

function problemsOf(...modules: Module[]): readonly string[] {
  try {
    createRegistry(modules)
  } catch (error) {
    assert.ok(error instanceof RegistryError)
    for (const problem of error.problems) assert.ok(error.message.includes(problem))
    return error.problems
  }
  return []
}

const one = (name: string, spec: Omit<ModuleSpec, 'name'> = {}) => defineModule({ name, ...spec })
const both = (spec: Omit<ModuleSpec, 'name'>) => problemsOf(one('left', spec), one('right', spec))

describe('the registry', () => {
  it('refuses two of one name, and says where both are', () => {
    assert.deepEqual(problemsOf(one('twin'), one('twin')), ['two modules are named twin'])
    assert.deepEqual(both({ permissions: { 'x.do': 'x' } }), ['two permissions are named x.do: in left and right'])
    assert.deepEqual(both({ limits: { x: { title: 'x', counts: 'x' } } }), [
      'two limits are named x: in left and right',
    ])
    assert.deepEqual(both({ features: { x: { title: 'x' } } }), ['two features are named x: in left and right'])
    assert.deepEqual(both({ events: [event] }), ['two events are named thing.made: in left and right'])
    assert.deepEqual(both({ jobs: [job] }), ['two jobs are named thing.do: in left and right'])
    assert.deepEqual(both({ schedules: [every('* * * * *', 'x.y', noop)] }), [
      'two schedules are named x.y: in left and right',
    ])
    assert.deepEqual(both({ resources: [defineResource({ name: 'x', create: () => 1 })] }), [
      'two resources are named x: in left and right',
    ])
    assert.deepEqual(both({ listeners: [onEvery('x.y', noop)] }), [
      'two listeners are named on:*:x.y: in left and right',
    ])
    assert.deepEqual(both({ stores: async () => true }), ['the slot stores is filled twice: by left and right'])
  })

  it('refuses two routes that answer the same address, whatever their parameters are called', () => {
    const left = one('left', { routes: [route()] })
    assert.deepEqual(problemsOf(left, one('right', { routes: [route({ path: '/things/:thing_id' })] })), [
      'two routes answer GET /api/v1/things/:thing_id: in left and right',
    ])
    assert.deepEqual(problemsOf(left, one('right', { routes: [route({ root: true, name: 'getRootThing' })] })), [])
  })

  it('refuses two routes of one name, and names that no client can have', () => {
    const left = one('left', { routes: [route()] })
    const named = (spec: Partial<AnyRoute>) => problemsOf(left, one('right', { routes: [route(spec)] }))
    assert.deepEqual(named({ path: '/THING/:thing_id', name: 'getThing' }), [
      'two routes are called getThing: GET /api/v1/things/:id (left) and GET /api/v1/THING/:thing_id (right); give one of them another name',
    ])
    assert.deepEqual(named({ path: '/current/things/:id' }), [
      'two routes are called getThing: GET /api/v1/things/:id (left) and GET /api/v1/current/things/:id (right); give one of them another name',
    ])
    assert.deepEqual(named({ path: '/others/:id', name: 'getThing', hidden: true }), [])
    for (const name of ['', 'GetOther', 'get_other', 'get other', '2others'])
      assert.deepEqual(named({ path: '/others/:id', name }), [
        `route GET /api/v1/others/:id (right) needs a name of letters and digits, beginning with a small letter, not '${name}'`,
      ])
  })

  it('refuses inbound sources that collide, are named or limited wrongly, or keep what opens a door', () => {
    const source = (name: string, more: Partial<InboundSpec> = {}) =>
      defineInbound(name, { description: 'x', verify: () => null, handle: noop, ...more })
    const bank = source('bank')
    assert.deepEqual(both({ inbound: [bank] }), [
      'two inbound sources are named bank: in left and right',
      'two jobs are named inbound.bank: in left and right',
      'two routes answer POST /api/v1/inbound/bank: in left and right',
    ])
    const alone = (...inbound: InboundSource[]) => problemsOf(one('left', { inbound }))
    assert.deepEqual(alone(bank, source('a_1-b', { headers: ['x-kind'], bodyLimit: 1024 * 1024 })), [])
    for (const name of ['a', 'A1', '1a', 'a.b', 'a/b', 'a:b', 'a b', `a${'b'.repeat(41)}`])
      assert.ok(
        alone(source(name)).includes(
          `inbound source ${name} (left) has a name that is no word of up to 41 small letters, digits, _ and -`,
        ),
        name,
      )
    for (const bodyLimit of [0, 1.5, 1024 * 1024 + 1])
      assert.deepEqual(alone(source('bank', { bodyLimit })), [
        'route POST /api/v1/inbound/bank (left) has a bodyLimit that is no number of bytes up to 1048576',
      ])
    assert.deepEqual(alone(source('bank', { headers: ['X-Kind', 'authorization'] })), [
      'inbound source bank (left) keeps the header X-Kind, which is no name in lower case',
      'inbound source bank (left) keeps the header authorization, which is a credential',
    ])
    assert.deepEqual(alone(source('bank', { contentTypes: [] })), [
      'route POST /api/v1/inbound/bank (left) takes a raw body in no content type (true: in any)',
    ])
    assert.deepEqual(problemsOf({ ...one('left'), inbound: [bank] }), [
      'inbound source bank (left) would take nothing in: make its module by defineModule',
    ])
  })

  it('refuses migrations that are no folder, whose files would be sought beside it', () => {
    const at = (path: string) => problemsOf(one('flats', { migrations: new URL(path, 'file:///shop/flats/') }))
    assert.deepEqual(at('migrations'), [
      'the migrations of module flats must end in /, as a folder: file:///shop/flats/migrations',
    ])
    assert.deepEqual(at('migrations/'), [])
  })

  it('refuses what nobody declares', () => {
    const asking = (spec: Partial<AnyRoute> & { body?: unknown }) =>
      problemsOf(one('asking', { routes: [route(spec)] }))
    const name = 'route GET /api/v1/things/:id (asking)'
    assert.deepEqual(asking({ access: { permission: 'no.such' } }), [`${name} asks for the unknown permission no.such`])
    assert.deepEqual(asking({ limit: 'none' }), [`${name} consumes the unknown limit none`])
    assert.deepEqual(asking({ feature: 'none' }), [`${name} needs the unknown feature none`])
    assert.deepEqual(problemsOf(one('asking', { listeners: [on(event, 'asking.hear', noop)] })), [
      'listener asking.hear follows the event thing.made, which no module declares: list it in `events` of its module',
    ])
  })

  it('refuses a route that does not say who may call it, or says so in unknown words', () => {
    const access = (value: unknown) => problemsOf(one('open', { routes: [route({ access: value as 'self' })] })) // wrong on purpose
    const name = 'route GET /api/v1/things/:id (open)'
    assert.deepEqual(access(undefined), [`${name} does not say who may call it (access)`])
    assert.deepEqual(access('everybody'), [`${name} has the unknown access 'everybody'`])
    assert.equal(access({ permission: 'x.y', store: 'maybe' }).length, 2)
    const callers = (spec: object) => problemsOf(one('open', { routes: [route({ access: 'self', ...spec })] }))
    assert.deepEqual(callers({ callers: 'persons' }), [`${name} has the unknown callers 'persons'`])
    assert.deepEqual(callers({ access: 'public', callers: 'people' }), [
      `${name} is for people alone (callers), but public: whoever sends no credential may call it`,
    ])
    for (const word of ['people', 'all', undefined]) assert.deepEqual(callers({ callers: word }), [])
  })

  it('refuses a route for who acts as somebody else that hands out a secret or is for operators', () => {
    const problems = (spec: object) => problemsOf(one('desk', { routes: [route({ path: '/desk', ...spec })] }))
    const name = 'route GET /api/v1/desk (desk)'
    const secret = { response: { 200: Closed({ token: Type.String({ secret: true }) }) } }
    const refused = `${name} hands out a secret or is for operators: under impersonation it can only be refused (impersonation)`
    for (const impersonation of ['reads', 'writes', 'always'])
      for (const spec of [secret, { access: 'superAdmin' }, { access: { operator: ['support'] } }])
        assert.deepEqual(problems({ ...spec, impersonation }), [refused])
    for (const spec of [secret, { access: 'superAdmin' }]) {
      assert.deepEqual(problems(spec), [])
      assert.deepEqual(problems({ ...spec, impersonation: 'refused' }), [])
    }
    assert.deepEqual(problems({ impersonation: 'sometimes' }), [`${name} has the unknown impersonation 'sometimes'`])
  })

  it('refuses a route among those of operators that is not for them, and one that does not say for which', () => {
    const problems = (path: `/${string}`, spec: object) =>
      problemsOf(one('desk', { permissions: { 'x.do': 'x' }, routes: [route({ path, ...spec })] })).map((problem) =>
        problem.replace(/^route GET \S+ \(desk\) /, ''),
      )
    const among = "stands under /admin, so its access must be 'superAdmin' or { operator: […] }"
    for (const access of ['public', 'self', { permission: 'x.do' }])
      for (const path of ['/admin', '/admin/desk', '/admin/:id'] as const)
        assert.deepEqual(problems(path, { access }), [among])
    const wrong = (operator: unknown) => problems('/admin/desk', { access: { operator } })
    for (const none of [[], undefined, null, 'billing', {}])
      assert.deepEqual(wrong(none), ['names no role of operators (operator)'])
    assert.deepEqual(wrong(['billing', 'root', 1]), ['names unknown roles of operators: root, 1'])
    assert.deepEqual(wrong(['billing', 'billing']), ['names a role of operators twice'])
    assert.deepEqual(wrong(['all']), ["names the role all, which may everything anyway; all alone: 'superAdmin'"])
    for (const access of ['superAdmin', { operator: ['support', 'billing', 'operations'] }])
      for (const path of ['/admin/desk', '/administrators'] as const) {
        assert.deepEqual(problems(path, { access }), [])
        assert.deepEqual(problems(path, { access, callers: 'all' }), [
          'is for operators, who are people: no API key is one (callers)',
        ])
      }
  })

  it('refuses bodies that nobody checks', () => {
    const body = (spec: unknown) => problemsOf(one('m', { routes: [route(spec as AnyRoute)] })) // wrong on purpose
    assert.match(body({ body: Closed({}) })[0] ?? '', /takes a body, which its method has not/)
    const withResponse = (method: 'GET' | 'POST', unchanged: null | TSchema) =>
      // Another answer than the tests' usual.
      problemsOf(one('things', { routes: [route({ method, response: { 200: null, 304: unchanged } as never })] }))
    assert.deepEqual(withResponse('GET', null), [])
    for (const wrong of [withResponse('POST', null), withResponse('GET', Closed({}))])
      assert.match(wrong[0] ?? '', /declares a 304, which only a GET answers, and without a body/)
    assert.match(body({ method: 'POST', body: Type.Object({}) })[0] ?? '', /accepts unknown fields/)
    assert.match(body({ response: { 400: null } })[0] ?? '', /declares no success answer/)
    const within = (schema: TSchema) => body({ method: 'POST', body: Closed({ a: schema }) })
    const open = Type.Object({ b: Type.String() })
    for (const schema of [open, Type.Array(open), Closed({ c: open }), Type.Union([Type.Null(), open])])
      assert.match(within(schema)[0] ?? '', /has a body that accepts unknown fields/)
    for (const whole of [
      Type.Any(),
      Type.Array(open),
      Type.Union([Closed({}), open]),
      Type.Intersect([open, Closed({})]),
    ])
      assert.match(body({ method: 'POST', body: whole })[0] ?? '', /has a body that accepts unknown fields/)
    for (const schema of [
      Type.Any(),
      Type.Record(Type.String(), Type.Any()),
      Type.Object({}, { additionalProperties: true }),
    ])
      assert.deepEqual(within(schema), [])
    assert.match(body({ query: open })[0] ?? '', /has a query that accepts unknown fields/)
  })

  it('refuses headers of answers that are none, or that the kernel sets, and a body of a method without one', () => {
    const wrong = (spec: unknown) => problemsOf(one('m', { routes: [route(spec as AnyRoute)] })) // wrong on purpose
    for (const name of ['access-control-allow-origin', 'x-request-id', 'set-cookie'])
      for (const spec of [{ standing: { [name]: '*' } }, { exposes: [name] }])
        assert.match(wrong(spec)[0] ?? '', /which the kernel keeps for itself/)
    assert.match(wrong({ exposes: ['X-Upper'] })[0] ?? '', /which is no name in lower case/)
    assert.deepEqual(wrong({ standing: { 'tus-resumable': '1.0.0' }, exposes: ['upload-offset'] }), [])
    for (const method of ['GET', 'DELETE', 'OPTIONS'])
      for (const taken of [
        { body: Closed({}) },
        { raw: ['text/plain'] },
        { stream: ['text/plain'], transaction: 'manual' },
      ])
        assert.match(wrong({ method, ...taken }).join(), /body, which its method has not/)
  })

  it('refuses a limit for bodies that is above all limits, or that no body has', () => {
    const body = (spec: unknown) => problemsOf(one('m', { routes: [route(spec as AnyRoute)] })) // wrong on purpose
    const posts = { method: 'POST', body: Closed({}) }
    for (const bodyLimit of [1, 1024 * 1024]) assert.deepEqual(body({ ...posts, bodyLimit }), [])
    for (const bodyLimit of [1024 * 1024 + 1, 0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])
      assert.match(body({ ...posts, bodyLimit })[0] ?? '', /has a bodyLimit that is no number of bytes up to 1048576/)
    assert.match(body({ bodyLimit: 100 })[0] ?? '', /has a bodyLimit but takes no body/)
  })

  it('refuses schemas that clients in other languages cannot read, or that would accept everything', () => {
    const routes = (spec: unknown) => problemsOf(one('m', { routes: [route(spec as AnyRoute)] })) // wrong on purpose
    const inBody = (schema: object) =>
      routes({ method: 'POST', body: Closed({ a: schema as ReturnType<typeof Type.Any> }) })
    for (const pattern of ['^(?=.*x)', '(?!x)', '(?<=x)y', '(?<!x)y', '(?<n>x)', '(?i:x)'])
      assert.match(inBody({ type: 'string', pattern })[0] ?? '', /has a pattern with \(\? in it/, pattern)
    assert.deepEqual(inBody({ type: 'string', pattern: '^(?:a|b)\\(\\?$' }), [])
    const nested = { type: 'array', items: { anyOf: [{ type: 'null' }, { type: 'string', pattern: '(?=x)' }] } }
    assert.equal(inBody(nested).length, 1)
    assert.equal(inBody({ type: 'object', patternProperties: { '(?=x)': {} } }).length, 1)
    assert.equal(routes({ query: Closed({ a: Type.String({ pattern: '(?=x)' }) }) }).length, 1)
    assert.equal(routes({ response: { 200: Closed({ a: Type.String({ pattern: '(?=x)' }) }) } }).length, 1)
    const data = Closed({ id: Type.String({ pattern: '(?=x)' }) })
    assert.match(
      problemsOf(one('m', { events: [defineEvent('m.made', { description: 'x', data })] }))[0] ?? '',
      /^event m\.made/,
    )
    assert.match(inBody({ type: 'string', format: 'datetime' })[0] ?? '', /has the unknown format 'datetime'/)
    assert.match(inBody({ type: 'string', form: 'name' })[0] ?? '', /has the unknown form 'name'/)
  })

  it('refuses an answer kept with a secret in it, and a field that looks like one and does not say', () => {
    const answer = (fields: Record<string, TSchema>, idempotent?: boolean) => {
      const response = {
        200: Type.Union([Closed({ id: Type.String() }), Closed({ data: Type.Array(Closed(fields)) })]),
      }
      const posted = { method: 'POST' as const, path: '/things' as const, response, idempotent } as unknown as AnyRoute // another answer than the tests' usual
      return problemsOf(one('m', { routes: [route(posted)] }))
    }
    const marked = Type.String({ secret: true })
    assert.deepEqual(answer({ hush: marked }), [])
    assert.match(answer({ hush: marked }, true).join(), /^route POST \/api\/v1\/things \(m\) takes an Idempotency-Key/)
    for (const field of ['token', 'access_token', 'secret', 'client_secret', 'api_key', 'backup_codes', 'password'])
      assert.match(answer({ [field]: Type.String() }).join(), new RegExp(`answers with data.${field}, whose schema`))
    for (const field of ['token_type', 'key_id', 'secretary'])
      assert.deepEqual(answer({ [field]: Type.String() }, true), [], field)
    assert.deepEqual(answer({ has_password: Type.Boolean(), page_token: Type.String({ secret: false }) }, true), [])
  })

  it('refuses times that are none, and names that the kernel uses', () => {
    const at = (cron: string, name = 'm.x') => problemsOf(one('m', { schedules: [every(cron, name, noop)] }))
    assert.match(at('99 * * * *')[0] ?? '', /^schedule m\.x has a time that cannot be read \(99 \* \* \* \*\)/)
    assert.match(at('hourly')[0] ?? '', /cannot be read/)
    assert.match(at('0 3 * * *', 'kernel.tidy')[0] ?? '', /keeps for itself/)
    assert.match(at('0 3 * * *', 'run_jobs')[0] ?? '', /keeps for itself/)
    assert.deepEqual(at('0 3 * * *'), [])
  })

  it('refuses a circle, and names all who are in it', () => {
    const needs: Module[] = []
    const a = one('a', { dependsOn: needs })
    const b = one('b', { dependsOn: [a] })
    needs.push(b)
    assert.deepEqual(problemsOf(b, a), ['modules depend on each other in a circle: b → a → b'])
  })

  it('names who depends on a module that was taken out', () => {
    const base = one('base')
    const users = [one('first', { dependsOn: [base] }), one('second', { dependsOn: [base] })]
    assert.deepEqual(problemsOf(...users, base), [])
    assert.deepEqual(problemsOf(...users), [
      'module first depends on base, which is not among the modules',
      'module second depends on base, which is not among the modules',
    ])
  })

  it('tells everything that is wrong at once', () => {
    const wrong = one('wrong', {
      dependsOn: [one('gone')],
      events: [event, event],
      routes: [route({ limit: 'a', feature: 'b', access: { permission: 'c' } }), route()],
    })
    assert.equal(problemsOf(wrong).length, 6)
  })

  it('puts what a module needs before it, whatever the order given', () => {
    const base = one('base')
    const middle = one('middle', { dependsOn: [base] })
    const top = one('top', { dependsOn: [middle, base] })
    for (const given of [
      [top, middle, base],
      [base, top, middle],
      [middle, base, top],
    ])
      assert.deepEqual(
        createRegistry(given).modules.map(({ name }) => name),
        ['base', 'middle', 'top'],
      )
  })
})
