import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type JsonSchema, type OpenApiDocument, openapiDocument } from '../src/kernel/http/openapi.ts'
import { createTestCore, type TestCore } from '../src/testing/index.ts'
import { type FoundOperation, hasEnd, listOperations, takesJson } from '../src/testing/operations.ts'
import { contentOf } from './content.ts'
import { SOME_ID } from './hostile-values.ts'
import { builtinApplication, createOwner, type Owner, toyApplication } from './people.ts'

/** Fewer than the most problems that are told, just as many, more, and so many that any list of them is cut somewhere. */
const COUNTS = [1, 49, 50, 51, 64, 300, 5_000]
const MOST_PROBLEMS = 50
/** No answer to nonsense is longer, whatever was sent. */
const LONGEST_ANSWER = 64 * 1024

/** So many fields that no schema knows. */
const unknown = (count: number, name = 'junk') =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`${name}_${at}`, at]))

for (const [name, application] of [
  ['a toy module', toyApplication],
  ['the built-in modules', builtinApplication],
] as const) {
  describe(`unknown fields, however many, sent to ${name}`, () => {
    let test: TestCore
    let owner: Owner
    let document: OpenApiDocument
    let operations: FoundOperation[]
    before(async () => {
      test = await createTestCore({ modules: application.modules, env: { RATE_LIMIT_FACTOR: '0', LOG_LEVEL: 'warn' } })
      owner = await createOwner(test, application)
      document = openapiDocument(test.core)
      operations = listOperations(document).filter((each) => hasEnd(each) && takesJson(each))
    })
    after(() => test.close())

    const refused = async (method: string, url: string, body: unknown, where: string) => {
      const answer = await test.request(method, url, { token: owner.token, body })
      const about = `${method} ${url.slice(0, 80)} with ${where}: ${answer.status} ${answer.text.slice(0, 300)}`
      assert.ok(answer.text.length < LONGEST_ANSWER, `${about} … ${answer.text.length} characters`)
      if (answer.status === 413) return assert.ok(JSON.stringify(body).length > 1024, about)
      assert.equal(answer.status, 400, about)
      assert.equal(answer.body.code, 'invalid_request', about)
      const problems: { detail: string }[] = answer.body.errors
      assert.ok(problems.length >= 1 && problems.length <= MOST_PROBLEMS, about)
      for (const { detail } of problems) assert.doesNotMatch(detail, /[\^\\]|\(\?|pattern|schema/, about)
    }
    const writingNothing = async (work: () => Promise<void>) => {
      const before = await contentOf(test)
      await work()
      assert.deepEqual(await contentOf(test), before)
    }

    it('in a body are refused, alone, beside a good body and beside fields of a wrong type', { timeout: 300_000 }, () =>
      writingNothing(async () => {
        for (const { method, path, operation } of operations) {
          const content = operation.requestBody?.content['application/json']
          if (!content) continue
          const schema = resolve(document, content.schema)
          const wrong = Object.fromEntries(
            Object.entries(schema.properties ?? {}).map(([field, each]) => [
              field,
              wrongValue(resolve(document, each)),
            ]),
          )
          const url = path.replace(/\{\w+\}/g, SOME_ID)
          for (const count of COUNTS) {
            await refused(method, url, unknown(count), `${count} alone`)
            await refused(method, url, { ...unknown(count), ...wrong }, `${count} before wrong types`)
            await refused(method, url, { ...wrong, ...unknown(count) }, `${count} after wrong types`)
            await refused(method, url, { ...Object(content.example), ...unknown(count) }, `${count} beside a good body`)
          }
        }
      }),
    )

    it('within the fields of a body are refused', { timeout: 300_000 }, () =>
      writingNothing(async () => {
        for (const { method, path, operation } of operations) {
          const content = operation.requestBody?.content['application/json']
          if (!content) continue
          const schema = resolve(document, content.schema)
          for (const [field, nested] of nestings(document, schema))
            for (const count of COUNTS) {
              const body = { ...Object(content.example), [field]: nested(unknown(count)) }
              await refused(method, path.replace(/\{\w+\}/g, SOME_ID), body, `${count} within ${field}`)
            }
        }
      }),
    )

    it('in a query are refused', { timeout: 300_000 }, () =>
      writingNothing(async () => {
        for (const { method, path } of operations)
          for (const count of COUNTS) {
            const url = `${path.replace(/\{\w+\}/g, SOME_ID)}?${new URLSearchParams(unknown(count) as never)}`
            await refused(method, url, method === 'GET' ? undefined : {}, `${count} in the query`)
          }
      }),
    )

    it('named like what every object has are as unknown as others', async () => {
      const { method, path } = operations.find(({ method, operation }) => method === 'POST' && operation.requestBody)!
      for (const field of ['toString', 'valueOf', 'hasOwnProperty', '', ' ', 'a/b~c', 'x'.repeat(5_000), '\u202e'])
        await refused(method, path, { [field]: 1 }, field)
      const list = operations.find(({ method, path }) => method === 'GET' && !path.includes('{'))!
      for (const field of ['__proto__', 'constructor', 'toString', 'hasOwnProperty'])
        for (const query of [`${field}=1`, `${field}=1&${field}=2`])
          await refused('GET', `${list.path}?${query}`, undefined, query)
    })
  })
}

function resolve({ components }: OpenApiDocument, schema: JsonSchema): JsonSchema {
  const [branch] = (schema.anyOf ?? []) as JsonSchema[] // schemas by definition: null is the other one
  if (branch) return resolve({ components } as OpenApiDocument, branch)
  if (typeof schema.$ref !== 'string') return schema
  return components.schemas[schema.$ref.split('/').at(-1) ?? ''] ?? {}
}

/** A value of a type that the schema does not accept. */
const wrongValue = ({ type }: JsonSchema): unknown => ([type].flat().includes('string') ? 5 : 'wrong')

/** Each way into a field that holds objects without others: by itself, in a list, in a list within. */
function nestings(document: OpenApiDocument, { properties }: JsonSchema): [string, (junk: object) => unknown][] {
  return Object.entries((properties ?? {}) as Record<string, JsonSchema>).flatMap(([field, given]) => {
    const schema = resolve(document, given)
    const items = resolve(document, (schema.items ?? {}) as JsonSchema) // a schema by definition
    const within = nestings(document, schema).map(([inner, make]): [string, (junk: object) => unknown] => [
      field,
      (junk) => ({ [inner]: make(junk) }),
    ])
    if (schema.additionalProperties === false) return [[field, (junk: object) => junk], ...within]
    if (items.additionalProperties === false) return [[field, (junk: object) => [junk]], ...within]
    return within
  })
}
