import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Operation, openapiDocument, type Parameter } from '../src/kernel/http/openapi.ts'
import { kernelModule } from '../src/kernel/probes.ts'
import { createRegistry, type RegisteredRoute } from '../src/kernel/registry.ts'
import { builtinModules } from '../src/modules/index.ts'
import { type Answered, createTestCore, type Filled, type Tenant } from '../src/testing/index.ts'
import { loadCases } from '../src/testing/isolation/cases.ts'
import { routeName } from '../src/testing/isolation/catalogue.ts'
import { BOOTSTRAP_TOKEN, frontDoor } from '../src/testing/isolation/front-door.ts'
import { asSchema, fieldOf, idPlaces, isIdName, placed } from '../src/testing/isolation/samples.ts'
import { foundAnother, foundWorld, type World } from '../src/testing/isolation/world.ts'
import { written } from '../src/testing/isolation/written.ts'
import { urlOf } from './route-requests.ts'

/** Fields whose example cannot be worth anything: what they carry is made for one person, and often for one use. */
const FROM_WORLD = ['token', 'refresh_token', 'bootstrap_token', 'current_password', 'endpoint', 'wait']

/** Parameters whose example is not sent, and why. */
const NOT_SENT: Readonly<Record<string, string>> = {
  cursor: 'it is a place in a list that was read before',
  'x-session-mode': 'it takes a browser, whose tests send it (core/test/session-cookie.browser.test.ts)',
  session_refresh: 'it stands in place of the token in the body',
  '__Host-session_refresh': 'it stands in place of the token in the body',
}

const registry = createRegistry([kernelModule, ...builtinModules])
const document = openapiDocument({ registry })
const shown = registry.routes.filter(({ hidden }) => !hidden)

let world: World
before(async () => {
  const test = await createTestCore({ env: { RATE_LIMIT_FACTOR: '0', LOG_LEVEL: 'warn', BOOTSTRAP_TOKEN } })
  world = await foundWorld(test, await loadCases(test.core.registry.modules), frontDoor)
})
after(() => world?.test.close())

function operationOf(route: RegisteredRoute): Operation {
  const path = route.url.replace(/:(\w+)/g, '{$1}')
  const operation = document.paths[path]?.[route.method.toLowerCase()]
  assert.ok(operation, `${route.method} ${path} is not in the document`)
  return operation
}

function parametersOf({ parameters = [] }: Operation, place: Parameter['in']): Parameter[] {
  const all = parameters.map((each) =>
    '$ref' in each ? document.components.parameters[each.$ref.split('/').at(-1) ?? ''] : each,
  )
  return all.filter((each): each is Parameter => each !== undefined && each.in === place)
}

/** The examples of the parameters at a place, as they stand there; ids are those of the tenant. */
async function examplesOf(operation: Operation, place: Parameter['in'], tenant: Tenant): Promise<[string, string][]> {
  const sent = parametersOf(operation, place).filter(({ name }) => !Object.hasOwn(NOT_SENT, name))
  return Promise.all(
    sent.map(async ({ name, schema }): Promise<[string, string]> => {
      const [example] = schema.examples as unknown[]
      return [name, String((await idFor(name.toLowerCase(), tenant)) ?? example)]
    }),
  )
}

/** The real one in place of an example's id; undefined for what is no id, or of nothing that a tenant has. */
async function idFor(name: string, tenant: Tenant): Promise<string | undefined> {
  const field = fieldOf(name)
  const collection = isIdName(field) ? world.collections.ofField(field) : undefined
  return collection ? tenant.id(collection) : undefined
}

let adaTenant: Promise<string> | undefined

/** The tenant of the person whom the example of registering makes, and whom the one of signing in speaks of. */
function tenantOfAda(): Promise<string> {
  const register = shown.find(({ name }) => name === 'register')
  assert.ok(register)
  adaTenant ??= sendExample(register).then(({ status, text, body }) => {
    assert.equal(status, 201, text)
    return body.tenant.id
  })
  return adaTenant
}

async function bodyOf(route: RegisteredRoute, operation: Operation, filled: Filled, tenant: Tenant): Promise<unknown> {
  let body = operation.requestBody?.content['application/json']?.example
  if (body === undefined) return undefined
  const told: Record<string, unknown> = filled.body
  for (const path of idPlaces(asSchema(route.body ?? route.form))) {
    const name = (path.findLast((step) => step !== '0') ?? '').replace(/_ids$/, '_id')
    // Of several ids the example has one.
    const [own = told[name]] = Array.isArray(told[name]) ? told[name] : []
    const id = await (route.name === 'login' ? tenantOfAda() : (own ?? idFor(name, tenant)))
    if (id !== undefined && isThere(body, path)) body = placed(body, path, id)
  }
  for (const name of FROM_WORLD) if (isThere(body, [name])) body = placed(body, [name], filled.body[name])
  return body
}

function isThere(value: unknown, [name, ...rest]: readonly string[]): boolean {
  if (name === undefined) return true
  return typeof value === 'object' && value !== null && name in value && isThere(Reflect.get(value, name), rest)
}

/** Sends what the document shows of an operation; what changes something, in a tenant of its own. `change`: what is sent in place of the body. */
async function sendExample(route: RegisteredRoute, change = (body: unknown) => body): Promise<Answered> {
  const tenant = route.method === 'GET' ? world.a : await foundAnother(world, frontDoor, 'e')
  const operation = operationOf(route)
  // What has to be so before: an invitation to accept, a subscription to bring back.
  const filled = await world.fill(route, tenant, { complete: false })
  const body = change(await bodyOf(route, operation, filled, tenant))
  return world.test.request(
    route.method,
    urlOf(route, {
      params: filled.params,
      query: {
        ...Object.fromEntries(await examplesOf(operation, 'query', tenant)),
        ...Object.fromEntries(Object.entries(filled.query).filter(([name]) => FROM_WORLD.includes(name))),
      },
    }),
    {
      token: filled.token ?? (route.access === 'public' ? null : tenant.owner),
      // The document says nothing of bytes that are taken as they are, nor of what signs them.
      headers: {
        ...typeOf(route),
        ...Object.fromEntries(await examplesOf(operation, 'header', tenant)),
        ...((route.raw ?? route.stream) === undefined ? {} : filled.headers),
      },
      ...(body !== undefined ? { body } : filled.raw === undefined ? {} : { payload: filled.raw }),
      // What stands around a file is its case's.
      ...(route.form ? { form: written(route, filled).form } : {}),
    },
  )
}

/** The content type of bytes that a route takes as they are. */
const typeOf = ({ raw, stream = raw }: RegisteredRoute): Record<string, string> =>
  Array.isArray(stream) ? { 'content-type': String(stream[0]) } : {}

describe('the examples of the API document, sent as they stand there', () => {
  for (const route of shown)
    test(routeName(route), async () => {
      if (route.name === 'register') return void (await tenantOfAda())
      const { status, text } = await sendExample(route)
      assert.ok(status >= 200 && status < 300, `${status} ${text}`)
    })
})

describe('the examples of the API document', () => {
  const route = shown.find(({ name }) => name === 'createStore')

  test('are there for every parameter, and for every body that is JSON', () => {
    for (const each of shown) {
      const operation = operationOf(each)
      for (const place of ['path', 'query', 'header', 'cookie'] as const)
        for (const { name, schema } of parametersOf(operation, place))
          assert.ok(Array.isArray(schema.examples) && schema.examples.length > 0, `${routeName(each)} ${name}`)
      if (each.body) assert.ok(operation.requestBody?.content['application/json']?.example, routeName(each))
    }
  })

  test('would be noticed if they did not work', async () => {
    assert.ok(route)
    const wrong = await sendExample(route, (body) => ({ ...Object(body), code: 'No code' }))
    assert.equal(wrong.status, 400)
  })

  test('are all sent but for parameters that are there', () => {
    const names = shown.flatMap((each) =>
      (['query', 'header', 'cookie'] as const).flatMap((place) =>
        parametersOf(operationOf(each), place).map(({ name }) => name),
      ),
    )
    assert.deepEqual(
      Object.keys(NOT_SENT).filter((name) => !names.includes(name)),
      [],
    )
  })

  test('are no fillers: nobody is called string, and no text is of a machine', () => {
    const texts = shown.flatMap((each) => textsOf(operationOf(each).requestBody?.content['application/json']?.example))
    for (const text of texts) assert.doesNotMatch(text, /^(string|example(\.one)?|E|EX|EXA|foo|bar|test|xxx+)$/i)
    assert.ok(texts.length > 50)
  })
})

function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsOf) : []
}
