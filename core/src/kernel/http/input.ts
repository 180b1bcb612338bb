import type { FastifyRequest } from 'fastify'
import { type FieldProblem, invalidRequest, notFound } from '../errors.ts'
import { isUuid } from '../ids.ts'
import type { RegisteredRoute } from '../registry.ts'
import { type Check, coercion, isStorable, lazyCheck } from './validate.ts'

/** What a handler gets of a request, checked against the route's schemas. */
export interface Input {
  params: Record<string, string>
  query: Record<string, unknown>
  body: unknown
}

/** The schemas of a route, compiled when first needed. */
interface Prepared {
  idParams: readonly string[]
  checkParams: Check | null
  checkQuery: Check
  coerceQuery: (query: Record<string, unknown>) => Record<string, unknown>
  checkBody: Check | null
}

const NOTHING_ALLOWED = { type: 'object', properties: {}, additionalProperties: false } as const

/** Makes the function that reads and checks what a route's requests bring. It throws 400 `invalid_request`, or 404. */
export function createInputReader(route: RegisteredRoute): (request: FastifyRequest) => Input {
  const query = (route.query ?? NOTHING_ALLOWED) as NonNullable<RegisteredRoute['query']> // the same shape by hand
  const names = [...route.path.matchAll(/:(\w+)/g)].map(([, name]) => name!) // the group always matches
  const prepared: Prepared = {
    idParams: names.filter((name) => /(^|_)id$/.test(name)),
    checkParams: route.params ? lazyCheck(route.params) : null,
    checkQuery: lazyCheck(query),
    coerceQuery: coercion(query),
    checkBody: route.body ? lazyCheck(route.body) : null,
  }
  return (request) => validate(prepared, request)
}

/** Reports all that is wrong with a request at once. An id that is no UUID is the id of nothing: 404. */
function validate(prepared: Prepared, request: FastifyRequest): Input {
  const params = request.params as Record<string, string> // Fastify's router gives text
  for (const name in params) if (!isStorable(params[name]!)) throw notFound()
  for (const name of prepared.idParams) {
    const id = params[name]
    if (!isUuid(id)) throw notFound()
    params[name] = id.toLowerCase()
  }
  const query = prepared.coerceQuery(request.query as Record<string, unknown>) // parsed by Fastify
  const body = request.body
  const problems: FieldProblem[] = [
    ...(prepared.checkParams?.(params, 'params') ?? []),
    ...prepared.checkQuery(query, 'query'),
    ...unstorableQuery(query),
    ...storeHeaderProblems(request),
    ...bodyProblems(prepared, body),
  ]
  if (problems.length > 0) throw invalidRequest({ errors: problems })
  return { params, query, body }
}

function bodyProblems({ checkBody }: Prepared, body: unknown): FieldProblem[] {
  if (checkBody)
    return body === undefined ? [{ pointer: '#', detail: 'a JSON body is required' }] : checkBody(body, '#')
  if (body === undefined || body === null) return []
  const fields = typeof body === 'object' && !Array.isArray(body) ? Object.keys(body) : null
  if (!fields) return [{ pointer: '#', detail: 'no body is expected' }]
  return fields.map((name) => ({ pointer: `#/${name}`, detail: 'is not a known field' }))
}

function unstorableQuery(query: Record<string, unknown>): FieldProblem[] {
  return Object.entries(query)
    .filter(([name, value]) => !isStorable(name) || (typeof value === 'string' && !isStorable(value)))
    .map(([name]) => ({
      pointer: `query/${name.toWellFormed().replaceAll('\0', '')}`,
      detail: 'contains characters that are not allowed',
    }))
}

function storeHeaderProblems({ headers }: FastifyRequest): FieldProblem[] {
  const header = headers['x-store-id']
  return header === undefined || isUuid(header) ? [] : [{ pointer: 'headers/x-store-id', detail: 'must be a UUID' }]
}
