import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Validator } from '@seriousme/openapi-schema-validator'
import { Value } from 'typebox/value'
import { Answer, Closed, defineModule, defineRoute, Email, type Module, Nullable, Type } from '#kernel'
import { catalog } from '../../examples/catalog/index.ts'
import { isSafe } from '../src/kernel/http/methods.ts'
import {
  type JsonSchema,
  type MediaType,
  type OpenApiDocument,
  type Operation,
  openapiDocument,
} from '../src/kernel/http/openapi.ts'
import { sampleOf } from '../src/kernel/http/openapi-samples.ts'
import { thingNamedBy } from '../src/kernel/http/operation-names.ts'
import { kernelModule } from '../src/kernel/probes.ts'
import { createRegistry } from '../src/kernel/registry.ts'
import { builtinModules } from '../src/modules/index.ts'
import { createDocumentValidator } from '../src/testing/document-validator.ts'
import { undescribed } from '../src/testing/index.ts'
import { listOperations, step } from '../src/testing/operations.ts'
import { toy } from './toy-module.ts'

function documentOf(modules: readonly Module[]) {
  const registry = createRegistry([kernelModule, ...modules])
  return { registry, document: openapiDocument({ registry }) }
}

/** Every body that goes either way, by its pointer. */
function listContents({ paths, components }: OpenApiDocument): [string, MediaType][] {
  const operations = Object.entries(paths).flatMap(([name, item]) =>
    Object.entries(item).map(([method, operation]) => [`#/paths${step(name)}/${method}`, operation] as const),
  )
  const places: [string, object][] = [
    ...operations.map(([pointer, { requestBody = {} }]): [string, object] => [`${pointer}/requestBody`, requestBody]),
    ...operations.flatMap(([pointer, { responses }]) => each(`${pointer}/responses`, responses)),
    ...each('#/components/responses', components.responses),
  ]
  return places.flatMap(([pointer, { content = {} }]: [string, { content?: Record<string, MediaType> }]) =>
    Object.entries(content).map(([type, media]): [string, MediaType] => [`${pointer}/content${step(type)}`, media]),
  )
}

const toys: readonly Module[] = [toy]
const NOTES = ['$ref', 'description', 'summary']

/** Every object of the document, by its pointer. */
function listNodes(node: object, pointer = '#'): [string, Record<string, unknown>][] {
  const entries = Object.entries(node)
  const inner = entries.filter((entry): entry is [string, object] => typeof entry[1] === 'object' && entry[1] !== null)
  return [
    [pointer, Object.fromEntries(entries)],
    ...inner.flatMap(([name, each]) => listNodes(each, pointer + step(name))),
  ]
}

function each(place: string, record: Record<string, object>): [string, object][] {
  return Object.entries(record).map(([name, value]) => [place + step(name), value])
}

for (const [name, modules] of [
  ['one toy module', toys],
  ['the built-in modules', builtinModules],
  ["the built-in modules and the example's", [...builtinModules, catalog]],
] as const) {
  describe(`the API document of ${name}`, () => {
    const { registry, document } = documentOf(modules)
    const operations = listOperations(document)

    it('is valid OpenAPI 3.1', async () => {
      const { valid, errors } = await new Validator().validate(JSON.parse(JSON.stringify(document)))
      assert.ok(valid, JSON.stringify(errors, null, 2))
    })

    it('has every route that is not hidden, with a summary and an id of its own', () => {
      const shown = registry.routes.filter(({ hidden }) => !hidden)
      assert.equal(operations.length, shown.length)
      for (const { summary, tags } of operations.map(({ operation }) => operation)) {
        assert.ok(summary.length > 3 && summary.length < 120, summary)
        assert.equal(tags.length, 1)
      }
      const ids = operations.map(({ operation }) => operation.operationId)
      assert.equal(new Set(ids).size, ids.length, 'two operations have one id')
    })

    it('has every answer that a route declares or that follows from its declaration', () => {
      for (const route of registry.routes.filter(({ hidden }) => !hidden)) {
        const found = operations.find(
          ({ path, method }) => method === route.method && path === route.url.replace(/:(\w+)/g, '{$1}'),
        )
        assert.ok(found, route.url)
        const expected = [
          ...Object.keys(route.response).map(Number),
          ...[400, 500, 503],
          ...route.errors.map(({ status }) => status),
          ...(route.access === 'public' ? [] : [401, 403]),
          ...(route.path.includes(':') ? [404] : []),
          ...(registry.allowances && (route.limit || route.feature) ? [402] : []),
          ...(route.body ? [413, 415] : []),
          ...(route.idempotent ? [409, 422] : []),
        ]
        const missing = expected.filter((status) => !(String(status) in found.operation.responses))
        assert.deepEqual(missing, [], `${route.method} ${route.url}`)
        assert.equal(
          'requestBody' in found.operation,
          (route.body ?? route.raw ?? route.stream ?? route.form) !== undefined,
        )
      }
    })

    it('promises no conflict of a route that only asks, and one of every other that is neither GET nor OPTIONS', () => {
      for (const { method, url, onlyAsks, hidden } of registry.routes) {
        if (hidden) continue
        const path = url.replace(/:(\w+)/g, '{$1}')
        const found = operations.find((each) => each.method === method && each.path === path)
        const answer = found?.operation.responses['409']
        const isPromised = answer !== undefined && /conflict/.test(JSON.stringify(answer))
        assert.equal(isPromised, !isSafe(method) && !onlyAsks, `${method} ${url}`)
      }
    })

    it('has an example that validates for every answer, body and event', () => {
      const validate = createDocumentValidator(document)
      // What is taken byte by byte looks like anything.
      const described = listContents(document).filter(([, { schema }]) => Object(schema).format !== 'binary')
      const wrong = described.flatMap(([pointer, { example, examples }]) => {
        const check = validate(`${pointer}/schema`)
        const values = examples ? Object.values(examples).map(({ value }) => value) : [example]
        return values
          .filter((value) => value === undefined || !check(value))
          .map((value) => `${pointer}: ${JSON.stringify(value)} ${JSON.stringify(check.errors)}`)
      })
      assert.deepEqual(wrong, [], 'give these schemas `examples`')
    })

    it('gives examples of bodies that the server itself accepts', () => {
      const refused = registry.routes
        .filter(({ body }) => body !== undefined && !Value.Check(body, sampleOf(body)))
        .map(
          ({ method, url, body }) => `${method} ${url}: ${body && JSON.stringify(Value.Errors(body, sampleOf(body)))}`,
        )
      assert.deepEqual(refused, [])
    })

    it('says nothing beside a reference but what it is for, since makers of clients drop that', () => {
      const beside = listNodes(document)
        .filter(([, node]) => typeof node.$ref === 'string' && Object.keys(node).some((key) => !NOTES.includes(key)))
        .map(([pointer]) => pointer)
      assert.deepEqual(beside, [])
    })

    it('names the codes of every error', () => {
      const problems = listContents(document).filter(([pointer]) => pointer.endsWith('/application~1problem+json'))
      assert.ok(problems.length > operations.length)
      for (const [pointer, { schema, examples = {} }] of problems) {
        const [problem, narrowed] = schema.allOf as [JsonSchema, { properties: Record<string, JsonSchema> }] // as the document writes errors
        assert.deepEqual(problem, { $ref: '#/components/schemas/Problem' })
        // An authenticator that does not say what it throws leaves these open; ours says.
        const isOpen = modules === toys && /\/40[13]\//.test(pointer)
        assert.deepEqual(narrowed.properties.code?.enum, isOpen ? undefined : Object.keys(examples), pointer)
      }
    })

    it('keeps to itself what is no JSON Schema', () => {
      const text = JSON.stringify(document)
      assert.ok(!text.includes('"~'), 'a TypeBox mark stands in the document')
      assert.ok(!/"secret":(true|false)/.test(text), 'our own mark `secret` stands in the document')
      assert.ok(!text.includes('undefined'))
    })

    it('promises nothing that no module brings', () => {
      assert.deepEqual(
        Object.keys(document.webhooks ?? {}),
        registry.dispatchers.length > 0 ? [...registry.published.keys()].sort() : [],
      )
      const hasKeys = registry.authenticators.some(({ takesKeys }) => takesKeys)
      assert.deepEqual(Object.keys(document.components.securitySchemes), hasKeys ? ['bearer', 'apiKey'] : ['bearer'])
      const text = JSON.stringify(document.paths)
      for (const word of ['"apiKey"', 'invalid_api_key', 'scope_denied', 'x-callers'])
        assert.equal(text.includes(word), hasKeys, word)
      if (!registry.allowances)
        for (const { operation } of operations) assert.ok(!('402' in operation.responses), operation.operationId)
    })

    it('names the rate limits that whoever may call an operation meets, and no others', () => {
      const hasEmail = ({ requestBody }: Operation) => JSON.stringify(requestBody ?? {}).includes('"email"')
      for (const { operation } of operations) {
        const { 'x-rate-limits': limits, security = [], operationId } = operation
        if (limits === undefined) continue
        const takesKeys = security.some((scheme) => 'apiKey' in scheme)
        assert.equal(limits.includes('key'), takesKeys, operationId)
        assert.equal(limits.includes('user'), security.length > 0, operationId)
        assert.equal(limits.includes('auth_account'), limits.includes('auth') && hasEmail(operation), operationId)
      }
    })

    if (modules !== toys)
      it('leaves no module, parameter or property without a word', () => {
        assert.deepEqual(undescribed(document), [])
      })

    it('is made once', () => assert.equal(openapiDocument({ registry }), document))
  })
}

describe('what is left without a word', () => {
  const said = { description: 'What it is' }
  const Named = Closed({ default: Type.String(), known: Type.String(said) }, { title: 'Named' })
  const routes = [
    defineRoute({
      method: 'GET',
      path: '/things/:id/parts/:kind',
      summary: 'Look at a thing',
      access: 'public',
      query: Closed({ told: Type.Optional(Type.String(said)), silent: Type.Optional(Type.String()) }),
      response: { 200: Closed({ named: Named, deep: Type.Array(Closed({ silent: Type.Integer() }), said) }) },
      handler: () => new Answer(200, { named: { default: '', known: '' }, deep: [] }),
    }),
  ]

  it('is found wherever it stands', () => {
    const { document } = documentOf([defineModule({ name: 'things', routes })])
    const get = '#/paths/~1api~1v1~1things~1{id}~1parts~1{kind}/get'
    const answer = `${get}/responses/200/content/application~1json/schema/properties`
    assert.deepEqual(undescribed(document).sort(), [
      '#/components/schemas/Named/properties/default',
      `${get}/parameters/kind`,
      `${get}/parameters/silent`,
      `${answer}/deep/items/properties/silent`,
      `${answer}/named`,
      '#/tags/things',
    ])
  })

  it('is not the id in a path: what it is the id of stands before it', () => {
    const { document } = documentOf([defineModule({ name: 'things', description: 'Things', routes })])
    const [id] = document.paths['/api/v1/things/{id}/parts/{kind}']?.get?.parameters ?? []
    assert.equal(id && 'description' in id && id.description, 'The id of the thing')
    assert.ok(!undescribed(document).includes('#/tags/things'))
  })

  it('is not an id that says itself what it is the id of, wherever it stands', () => {
    assert.equal(thingNamedBy('tenant_id', '/bank/:tenant_id/payments'), 'tenant')
    assert.equal(thingNamedBy('rent_roll_id', '/bank/:rent_roll_id'), 'rent roll')
    assert.equal(thingNamedBy('id', '/rent-rolls/:id/pages/:page_id'), 'rent roll')
    assert.equal(thingNamedBy('page_id', '/rent-rolls/:id/pages/:page_id'), 'page')
  })
})

describe('schemas with a title', () => {
  const Address = Closed({ city: Type.String() }, { title: 'Address' })
  const Other = Closed({ street: Type.String() }, { title: 'Address' })
  const route = (path: `/${string}`, schema: typeof Address | typeof Other) =>
    defineRoute({
      method: 'POST',
      path,
      summary: 'Move there',
      access: 'public',
      body: Closed({
        to: schema,
        from: Nullable(schema),
        mail: Type.Optional(
          Type.Refine(
            Email,
            () => true,
            () => '',
          ),
        ),
      }),
      response: { 204: null },
      handler: () => undefined,
    })
  const { document } = documentOf([
    defineModule({ name: 'here', routes: [route('/a', Address), route('/b', Address)] }),
    defineModule({ name: 'far-away', routes: [route('/c', Other)] }),
  ])
  const bodyOf = (path: string) =>
    document.paths[`/api/v1${path}`]?.post?.requestBody?.content['application/json']?.schema.properties

  it('stand once among the components', () => {
    assert.deepEqual(bodyOf('/a'), bodyOf('/b'))
    assert.deepEqual(bodyOf('/a'), {
      to: { $ref: '#/components/schemas/Address' },
      from: { anyOf: [{ $ref: '#/components/schemas/Address' }, { type: 'null' }] },
      mail: { type: 'string', minLength: 3, maxLength: 254, examples: ['ada@example.com'] },
    })
  })

  it('are told apart by their module when two have one title', () => {
    const { properties } = document.components.schemas.FarAwayAddress ?? {}
    assert.deepEqual(properties, { street: { type: 'string' } })
    assert.ok(JSON.stringify(bodyOf('/c')).includes('#/components/schemas/FarAwayAddress'))
  })
})
