import { STATUS_CODES } from 'node:http'
import type { TSchema } from 'typebox'
import { isOfOperators, operatorRolesOf } from '../access/operators.ts'
import { storeRuleOf } from '../access/store-scope.ts'
import type { Access } from '../module.ts'
import type { Product } from '../product.ts'
import type { DefaultRateLimit } from '../rates/define.ts'
import { isLimited, policiesOf } from '../rates/rules.ts'
import type { RegisteredRoute, Registry } from '../registry.ts'
import { impersonates, takesKeys } from './identify.ts'
import { declaredParameters, parameterOf, requestBodyOf } from './openapi-inputs.ts'
import {
  describeProblems,
  errorsOf,
  openStatuses,
  problemAnswer,
  rateHeaderRefs,
  sharedName,
} from './openapi-problems.ts'
import { sampleOf } from './openapi-samples.ts'
import type { SchemaCollection } from './openapi-schemas.ts'
import type { AnswerObject, MediaType, Operation, Parameter } from './openapi-types.ts'
import { thingNamedBy } from './operation-names.ts'

/** Collections that operations share while the document is built. */
export interface Workshop {
  schemas: SchemaCollection
  responses: Record<string, AnswerObject>
  registry: Registry
  product: Product
}

/** `/api/v1/stores/:id` → `/api/v1/stores/{id}`. */
export function templateOf(url: string): string {
  return url.replace(/:(\w+)/g, '{$1}')
}

/** The tag of the kernel's own operations; readers of the document know no kernel. */
export const SERVER = 'server'

/** The tag of a module's operations. */
export function tagOf(module: string): string {
  return module === 'kernel' ? SERVER : module
}

/** Describes one route. */
export function describeRoute(route: RegisteredRoute, workshop: Workshop): Operation {
  const { access } = route
  const parameters = parametersOf(route, workshop)
  return {
    operationId: route.name,
    summary: route.summary,
    ...(route.description ? { description: route.description } : {}),
    tags: [tagOf(route.module)],
    ...(parameters.length > 0 ? { parameters } : {}),
    ...requestBodyOf(route, workshop.schemas),
    responses: { ...successesOf(route, workshop), ...problemsOf(route, workshop) },
    security: access === 'public' ? [] : [{ bearer: [] }, ...(isForKeys(route, workshop) ? [{ apiKey: [] }] : [])],
    ...(isForPeople(route, workshop) ? { 'x-callers': 'people' } : {}),
    ...permissionOf(access),
    ...(impersonates(workshop.registry) ? { 'x-impersonation': route.impersonation } : {}),
    ...(route.limit ? { 'x-limit': route.limit } : {}),
    ...(route.feature ? { 'x-feature': route.feature } : {}),
    ...(isLimited(route) ? { 'x-rate-limits': shownPoliciesOf(route, workshop) } : {}),
  }
}

const isForPeople = ({ access, callers }: RegisteredRoute, { registry }: Workshop) =>
  access !== 'public' && callers === 'people' && takesKeys(registry)
const isForKeys = ({ callers }: RegisteredRoute, { registry }: Workshop) => callers === 'all' && takesKeys(registry)

/** Leaves out that of keys where a key is only ever refused: whoever may call the operation does not meet it. */
const shownPoliciesOf = (route: RegisteredRoute, workshop: Workshop) =>
  policiesOf(route).filter((name) => name !== OF_KEYS || isForKeys(route, workshop))
const OF_KEYS = 'key' satisfies DefaultRateLimit

/** What the caller needs: a permission and where, or one of the roles of operators. */
function permissionOf(access: Access) {
  if (typeof access === 'object' && !isOfOperators(access))
    return {
      'x-permission': access.permission,
      ...(access.store ? { 'x-permission-store': storePlaceOf(access) } : {}),
    }
  const roles = operatorRolesOf(access)
  const word = access === 'superAdmin' ? 'super_admin' : typeof access === 'string' ? access : 'operator'
  return { 'x-permission': word, ...(roles ? { 'x-operator-roles': roles } : {}) }
}

/** Where the store is named for which a grant is enough: a place in the request, `rows`, or `shared`. */
function storePlaceOf(access: Access): string {
  const rule = storeRuleOf(access)
  return rule?.shared ? 'shared' : (rule?.named ?? 'rows')
}

function parametersOf(route: RegisteredRoute, { schemas }: Workshop): Operation['parameters'] & object {
  const inPath = [...route.path.matchAll(/:(\w+)/g)].map(([, name = '']): Parameter => {
    const declared = route.params?.properties[name]
    const isId = /(^|_)id$/.test(name)
    const schema = declared ? schemas.convert(declared, route.module) : { type: 'string' }
    const id = {
      description: `The id of the ${thingNamedBy(name, route.path)}`,
      ...schema,
      type: 'string',
      format: 'uuid',
    }
    return parameterOf(name, 'path', true, isId ? id : schema)
  })
  const required: readonly string[] = route.query?.required ?? []
  const inQuery = Object.entries<TSchema>(route.query?.properties ?? {}).map(([name, schema]) =>
    parameterOf(name, 'query', required.includes(name), schemas.convert(schema, route.module)),
  )
  const inHeaders = [
    ...(route.storeHeader ? ['X-Store-ID'] : []),
    ...(route.idempotent ? ['Idempotency-Key'] : []),
    ...(304 in route.response ? ['If-None-Match'] : []),
  ]
  const shared = inHeaders.map((name) => ({ $ref: `#/components/parameters/${name}` }))
  return [...inPath, ...inQuery, ...declaredParameters(route, schemas), ...shared]
}

function successesOf(route: RegisteredRoute, { schemas }: Workshop): Operation['responses'] {
  const describe = (status: number, schema: TSchema | null): AnswerObject => ({
    description: STATUS_CODES[status] ?? 'Success',
    headers: successHeaders(route, status),
    ...(schema ? { content: contentOf(route, schema, schemas) } : {}),
  })
  return Object.fromEntries(
    Object.entries(route.response).map(([status, schema]) => [status, describe(Number(status), schema)]),
  )
}

function contentOf(
  { produces = 'application/json', module }: RegisteredRoute,
  schema: TSchema,
  schemas: SchemaCollection,
): Record<string, MediaType> {
  const types = typeof produces === 'string' ? { [produces]: schema } : produces
  return Object.fromEntries(
    Object.entries(types).map(([type, body]) => [
      mediaTypeOf(type),
      // A file, whatever it is: bytes to whoever makes a client of the document.
      type === '*/*'
        ? { schema: { type: 'string', format: 'binary' } }
        : { schema: schemas.convert(body, module), example: sampleOf(body) },
    ]),
  )
}

function mediaTypeOf(contentType: string): string {
  return contentType.split(';', 1)[0]?.trim() ?? contentType
}

function successHeaders(route: RegisteredRoute, status: number): AnswerObject['headers'] {
  const names = [
    'X-Request-ID',
    ...(status === 201 ? ['Location'] : []),
    ...(304 in route.response ? ['ETag'] : []),
    ...(route.idempotent ? ['Idempotent-Replayed'] : []),
  ]
  const refs = Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]))
  return { ...refs, ...rateHeaderRefs(route) }
}

function problemsOf(route: RegisteredRoute, { responses, registry, product }: Workshop): Operation['responses'] {
  const open = openStatuses(route, registry)
  const byStatus = Object.groupBy(errorsOf(route, registry), ({ status }) => status)
  return Object.fromEntries(
    Object.entries(byStatus).map(([text, kinds = []]) => {
      const status = Number(text)
      const answer = () => problemAnswer(status, kinds, open.has(status), { route, types: product.problemTypes })
      const name = sharedName(kinds, open.has(status), route)
      if (name === null) return [text, answer()]
      responses[name] ??= answer()
      // Two modules may use one code differently; the second is then described inline.
      if (responses[name].description !== describeProblems(status, kinds)) return [text, answer()]
      return [text, { $ref: `#/components/responses/${name}` }]
    }),
  )
}
