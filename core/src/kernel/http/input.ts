import type { FastifyRequest } from 'fastify'
import type { TObject } from 'typebox'
import type { Core } from '../core.ts'
import { type AppError, type FieldProblem, invalidCursor, invalidRequest, notFound } from '../errors.ts'
import { isObject } from '../fields.ts'
import { isUuid } from '../ids.ts'
import type { FieldCheck } from '../module.ts'
import type { RegisteredRoute } from '../registry.ts'
import { type BodyStream, streamOf } from './body-stream.ts'
import { createDeclaredReader, type DeclaredParts } from './declared.ts'
import { type FormFields, formReader } from './form-body.ts'
import { type Tidy, tidierOf } from './forms.ts'
import { problemsOfKey } from './idempotency.ts'
import { MultipartForm, type ReadFields } from './multipart.ts'
import type { Envelope } from './route-input.ts'
import { type Check, coercion, collectProblems, isStorable, lazyCheck, unstorable } from './validate.ts'

/** The checked input of a handler. */
export interface Input {
  params: Record<string, string>
  query: Record<string, unknown>
  body: unknown
  /** The fields below are set only if the route declares them. */
  headers?: Record<string, unknown>
  cookies?: Record<string, unknown>
  raw?: Buffer
  stream?: BodyStream
  form?: MultipartForm
  envelope?: Envelope
}

/** The schemas of a route, compiled when first needed. */
interface Prepared {
  idParams: readonly string[]
  checkParams: Check | null
  checkQuery: Check
  coerceQuery: (query: Record<string, unknown>) => Record<string, unknown>
  tidyQuery: Tidy | null
  checkBody: Check | null
  tidyBody: Tidy | null
  readForm: (fields: FormFields) => unknown
  isRaw: boolean
  isStream: boolean
  isEnveloped: boolean
  /** Reads the fields of a form with a file. */
  readFields: ReadFields | null
  missingBody: string
  readDeclared: (request: FastifyRequest) => DeclaredParts
  /** The route's `check` of the body, and of the query. */
  checkFields: FieldLook
  checkQueryFields: FieldLook
  takesKey: boolean
  isList: boolean
}

const BODY_NAMES = { json: 'JSON', form: 'form' } as const
type FieldLook = (fields: Record<string, unknown>) => Iterable<FieldProblem>

const NOTHING_ALLOWED = { type: 'object', properties: {}, additionalProperties: false } as const

/** Creates the function that reads and checks the input of a route. It throws 400 `invalid_request`, or 404. */
export function createInputReader(core: Core, route: RegisteredRoute): (request: FastifyRequest) => Input {
  const query = (route.query ?? NOTHING_ALLOWED) as NonNullable<RegisteredRoute['query']> // the same shape by hand
  const names = [...route.path.matchAll(/:(\w+)/g)].map(([, name]) => name!) // the group always matches
  const lookBy = (check: FieldCheck | undefined): FieldLook => (check ? (fields) => check(fields, core) : () => [])
  const prepared: Prepared = {
    idParams: names.filter((name) => /(^|_)id$/.test(name)),
    checkParams: route.params ? lazyCheck(route.params) : null,
    checkQuery: lazyCheck(query),
    coerceQuery: coercion(query),
    tidyQuery: tidierOf(query),
    checkBody: route.body ? lazyCheck(route.body) : null,
    tidyBody: route.body ? tidierOf(route.body) : null,
    readForm: route.body ? formReader(route.body) : () => undefined,
    isRaw: route.raw !== undefined,
    isStream: route.stream !== undefined,
    isEnveloped: route.envelope,
    readFields: route.form ? fieldsReader(route.form, lookBy(route.check)) : null,
    missingBody: `a ${route.accepts.map((each) => BODY_NAMES[each]).join(' or ')} body is required`,
    readDeclared: createDeclaredReader(route),
    checkFields: lookBy(route.check),
    checkQueryFields: lookBy(route.checkQuery),
    takesKey: route.idempotent,
    isList: 'cursor' in query.properties,
  }
  return (request) => validate(prepared, request)
}

/** Reports all problems of a request at once. An id that is no UUID cannot exist: 404. */
function validate(prepared: Prepared, request: FastifyRequest): Input {
  const params = request.params as Record<string, string> // Fastify's router gives text
  for (const name in params) if (!isStorable(params[name]!)) throw notFound()
  for (const name of prepared.idParams) {
    const id = params[name]
    if (!isUuid(id)) throw notFound()
    params[name] = id.toLowerCase()
  }
  const query = prepared.coerceQuery(request.query as Record<string, unknown>) // parsed by Fastify
  prepared.tidyQuery?.(query)
  // For a form content type the parser returns the fields as they were sent.
  const body = request.body instanceof Map ? prepared.readForm(request.body) : request.body
  if (!prepared.isRaw) prepared.tidyBody?.(body)
  const { problems: ofDeclared, ...declared } = prepared.readDeclared(request)
  const problems = collectProblems(
    prepared.checkParams?.(params, 'params') ?? [],
    prepared.isEnveloped ? [] : queryProblems(prepared, query),
    headerProblems(prepared, request),
    ...ofDeclared,
    prepared.isStream || prepared.readFields ? [] : bodyProblems(prepared, request, body),
  )
  if (problems.length > 0) throw refusal(prepared, problems)
  const envelope = prepared.isEnveloped ? { envelope: envelopeOf(request) } : {}
  return { params, query, body: undefined, ...bodyOf(prepared, request, body), ...declared, ...envelope }
}

function envelopeOf({ headers, url }: FastifyRequest): Envelope {
  const sent = Object.entries(headers).filter((entry): entry is [string, string | string[]] => entry[1] !== undefined)
  return { headers: Object.fromEntries(sent.map(([name, value]) => [name, [value].flat().join(', ')])), url }
}

function* queryProblems(
  { checkQuery, checkQueryFields }: Prepared,
  query: Record<string, unknown>,
): Generator<FieldProblem> {
  yield* checkQuery(query, 'query')
  yield* unstorableQuery(query)
  yield* checkQueryFields(query)
}

/** The body in the form in which the route takes it. */
function bodyOf(
  { isRaw, isStream, readFields }: Prepared,
  { raw }: FastifyRequest,
  body: unknown,
): Pick<Input, 'raw' | 'stream' | 'form'> & { body?: unknown } {
  if (isStream) return { stream: streamOf(raw) }
  if (readFields) return { form: new MultipartForm(raw, readFields) }
  // The parser returns bytes for such a route.
  return isRaw ? { raw: body as Buffer } : { body }
}

/** Converts and checks the fields of a form with a file, as those of any body are. */
function fieldsReader(schema: TObject, look: FieldLook): ReadFields {
  const [read, tidy, check] = [formReader(schema), tidierOf(schema), lazyCheck(schema)]
  return (fields) => {
    const value = read(fields)
    tidy?.(value)
    return { value, problems: collectProblems(unstorable(value, '#'), check(value, '#'), look(value)) }
  }
}

/** A malformed cursor is reported as an invalid cursor. */
function refusal({ isList }: Prepared, problems: FieldProblem[]): AppError {
  const isOfCursor = isList && problems.every(({ pointer }) => pointer === 'query/cursor')
  return isOfCursor ? invalidCursor() : invalidRequest({ errors: problems })
}

function* bodyProblems(prepared: Prepared, request: FastifyRequest, body: unknown): Generator<FieldProblem> {
  const { checkBody, isRaw } = prepared
  if (isRaw) {
    if (!Buffer.isBuffer(body) || body.length === 0) yield { pointer: '#', detail: 'a body is required' }
    return
  }
  if (!checkBody) {
    if (!isNothing(body)) yield { pointer: '#', detail: 'no body is expected' }
    return
  }
  if (body === undefined) return yield { pointer: '#', detail: prepared.missingBody }
  if (request.maybeUnstorable) yield* unstorable(body, '#')
  yield* checkBody(body, '#')
  if (isObject(body)) yield* prepared.checkFields(body)
}

/** No body, or the empty object that some clients send with every POST. */
function isNothing(body: unknown): boolean {
  if (body === undefined) return true
  return isObject(body) && Object.keys(body).length === 0
}

function* unstorableQuery(query: Record<string, unknown>): Generator<FieldProblem> {
  for (const name in query) {
    const value = query[name]
    if (isStorable(name) && (typeof value !== 'string' || isStorable(value))) continue
    const pointer = `query/${name.toWellFormed().replaceAll('\0', '')}`
    yield { pointer, detail: 'contains characters that are not allowed' }
  }
}

function headerProblems({ takesKey }: Prepared, { headers }: FastifyRequest): FieldProblem[] {
  const store = headers['x-store-id']
  return [
    ...(store === undefined || isUuid(store) ? [] : [{ pointer: 'headers/x-store-id', detail: 'must be a UUID' }]),
    ...(takesKey ? problemsOfKey(headers['idempotency-key']) : []),
  ]
}
