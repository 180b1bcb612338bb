import type { TSchema } from 'typebox'
import { problemsOfImpersonation } from './access/impersonation.ts'
import { isOfOperators, problemsOfOperators } from './access/operators.ts'
import type { LimitSpec, PermissionSpec } from './access/specs.ts'
import { problemsOfStoreScope } from './access/store-scope.ts'
import { MAX_BODY_LIMIT } from './http/body.ts'
import { hasNoBody } from './http/methods.ts'
import { OPERATION_NAME } from './http/operation-names.ts'
import { handsOutSecrets, unmarkedSecrets } from './http/secret-answers.ts'
import type { RatePolicy } from './rates/define.ts'
import type { RegisteredRoute } from './registry.ts'
import { problemsOfInputs } from './registry-inputs.ts'
import { problemsOfRouteRates } from './registry-rates.ts'
import { problemsOfSchema } from './registry-schemas.ts'

interface Known {
  permissions: ReadonlyMap<string, PermissionSpec>
  limits: ReadonlyMap<string, LimitSpec>
  features: ReadonlyMap<string, unknown>
  rateLimits: ReadonlyMap<string, RatePolicy>
}

/** Adds to `problems` everything wrong with a route, alone or together with others. */
export function checkRoutes(routes: readonly RegisteredRoute[], known: Known, problems: string[]): void {
  const seen = new Map<string, string>()
  const named = new Map<string, string>()
  for (const route of routes) {
    const name = `${route.method} ${route.url}`
    const shape = `${route.method} ${route.url.replace(/:\w+/g, ':')}`
    const other = seen.get(shape)
    if (other) problems.push(`two routes answer ${name}: in ${other} and ${route.module}`)
    seen.set(shape, route.module)
    const place = `${name} (${route.module})`
    const namesake = route.hidden ? undefined : named.get(route.name)
    if (namesake !== undefined && other === undefined)
      problems.push(`two routes are called ${route.name}: ${namesake} and ${place}; give one of them another name`)
    if (!route.hidden) named.set(route.name, place)
    problems.push(...problemsOf(route, known).map((problem) => `route ${name} (${route.module}) ${problem}`))
  }
}

const WORDS: readonly string[] = ['public', 'self', 'superAdmin']
const CALLERS: readonly string[] = ['people', 'all']

function problemsOf(route: RegisteredRoute, { permissions, limits, features, rateLimits }: Known): string[] {
  const problems: string[] = []
  const { access } = route
  if (!route.hidden && !OPERATION_NAME.test(route.name))
    problems.push(`needs a name of letters and digits, beginning with a small letter, not '${route.name}'`)
  // Types prevent a missing access; applications in plain JavaScript need this check.
  if (!access) problems.push('does not say who may call it (access)')
  else if (typeof access === 'string' && !WORDS.includes(access)) problems.push(`has the unknown access '${access}'`)
  else if (typeof access === 'object' && !isOfOperators(access)) {
    const permission = permissions.get(access.permission)
    if (!permission) problems.push(`asks for the unknown permission ${access.permission}`)
    else if (access.store !== undefined && permission.scope !== 'store')
      problems.push(`has a store, but nobody can hold ${access.permission} in one: give it \`scope: 'store'\``)
    const isList = route.query !== undefined && 'cursor' in route.query.properties
    problems.push(...problemsOfStoreScope(access, route.path, isList))
  }
  if (access) problems.push(...problemsOfOperators(access, route.root ? '' : route.path, route.callers))
  if (access) problems.push(...problemsOfImpersonation(route))
  if (!CALLERS.includes(route.callers)) problems.push(`has the unknown callers '${route.callers}'`)
  else if (access === 'public' && route.callers === 'people')
    problems.push('is for people alone (callers), but public: whoever sends no credential may call it')
  if (route.limit !== undefined && !limits.has(route.limit)) problems.push(`consumes the unknown limit ${route.limit}`)
  else if (route.limit !== undefined && limits.get(route.limit)?.per === 'minute')
    problems.push(`consumes the limit ${route.limit}, which is one of requests per minute: name it in a rate limit`)
  problems.push(...problemsOfRouteRates(route, rateLimits))
  if (route.feature !== undefined && !features.has(route.feature))
    problems.push(`needs the unknown feature ${route.feature}`)
  if (!Object.keys(route.response).some((status) => Number(status) < 300)) problems.push('declares no success answer')
  if (304 in route.response && (route.method !== 'GET' || route.response[304] !== null))
    problems.push('declares a 304, which only a GET answers, and without a body')
  if (route.idempotent && handsOutSecrets(route.response))
    problems.push('takes an Idempotency-Key, but its answer hands out a secret, which is not kept to be given again')
  for (const field of unmarkedSecrets(route.response))
    problems.push(`answers with ${field}, whose schema does not say whether it is a secret (secret: true or false)`)
  if (hasNoBody(route.method) && route.body) problems.push('takes a body, which its method has not')
  const fields = route.body ?? route.form
  if (fields && isOpen(fields))
    problems.push('has a body that accepts unknown fields (additionalProperties: false is missing)')
  // Pages ignore their query, and mail programs add parameters to links.
  if (route.query && !route.hidden && isOpen(route.query))
    problems.push('has a query that accepts unknown fields (additionalProperties: false is missing)')
  problems.push(...problemsOfBodyLimit(route), ...problemsOfInputs(route))
  const schemas = [
    route.params,
    route.query,
    route.headers,
    route.cookies,
    route.body,
    route.form,
    ...Object.values(route.response),
  ]
  problems.push(...new Set(schemas.flatMap(problemsOfSchema)))
  return problems
}

function problemsOfBodyLimit({ body, raw, bodyLimit }: RegisteredRoute): string[] {
  if (bodyLimit === undefined) return []
  if (!body && !raw) return ['has a bodyLimit but takes no body']
  if (Number.isInteger(bodyLimit) && bodyLimit > 0 && bodyLimit <= MAX_BODY_LIMIT) return []
  return [`has a bodyLimit that is no number of bytes up to ${MAX_BODY_LIMIT}`]
}

interface Openness {
  type?: string | string[]
  properties?: Record<string, TSchema>
  patternProperties?: object
  additionalProperties?: unknown
  items?: TSchema | TSchema[]
  anyOf?: TSchema[]
  oneOf?: TSchema[]
  allOf?: TSchema[]
}

/**
 * Whether a schema accepts undeclared fields: its objects must be closed, also nested ones and in lists. Within a body
 * one may be open on purpose, by `additionalProperties`.
 */
export function isOpen(schema: TSchema, isWithin = false): boolean {
  const of = schema as Openness // JSON Schema keywords
  const { type, properties, patternProperties, additionalProperties, items } = of
  const types = [type ?? []].flat()
  const branches = [...(of.anyOf ?? []), ...(of.oneOf ?? []), ...(of.allOf ?? [])]
  // A schema without a type accepts anything, unless its branches restrict it.
  if (types.length === 0 && !isWithin && branches.length === 0) return true
  if (types.includes('object') && !patternProperties) {
    if (isWithin ? additionalProperties === undefined : additionalProperties !== false) return true
  }
  const within = [...Object.values(properties ?? {}), ...[items ?? []].flat()]
  return branches.some((each) => isOpen(each, isWithin)) || within.some((each) => isOpen(each, true))
}
