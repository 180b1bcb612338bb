import type { ValidateFunction } from 'ajv/dist/2020.js'
import type { Core } from '../kernel/core.ts'
import { type OpenApiDocument, openapiDocument } from '../kernel/http/openapi.ts'
import type { Module } from '../kernel/module.ts'
import { createDocumentValidator } from './document-validator.ts'
import { type FoundOperation, operationFinder, pathOf, step } from './operations.ts'
import type { Answered } from './request.ts'

/** An answer that the API document does not foresee. */
export class AnswerMismatch extends Error {
  override name = 'AnswerMismatch'
}

/** Holds an answer against the document; throws `AnswerMismatch` with all that differs. */
export type AnswerCheck = (request: { method: string; url: string }, answer: Answered) => void

const MOST_SHOWN = 600

/**
 * Checks answers against the API document of a core: status, content type, headers and body are what the operation
 * declares; a problem is a whole one with a declared code; what no route answers is a problem too.
 */
export function createAnswerCheck(core: Core): AnswerCheck {
  const lazy = memo(() => readerOf(core))
  const hidden = core.registry.routes.filter((route) => route.hidden).map(({ url }) => asPattern(url))

  return (request, answer) => {
    const { document, find, validate } = lazy()
    const problems = problemsOfAll(answer)
    // The path may be another's than the operation's whose template covers it.
    const found = answer.status === 405 ? undefined : find(request.method, request.url)
    if (found) problems.push(...problemsOfDeclared(request.method, answer, found, document, validate))
    else if (!hidden.some((pattern) => pattern.test(pathOf(request.url)))) problems.push(...problemsOfUnknown(answer))
    if (problems.length === 0) return
    throw new AnswerMismatch(
      `${request.method} ${request.url} answered ${answer.status} in a way that the API document does not foresee:\n` +
        `${problems.map((problem) => `  - ${problem}`).join('\n')}\n${answer.text.slice(0, MOST_SHOWN)}`,
    )
  }
}

interface Reader {
  document: OpenApiDocument
  find: ReturnType<typeof operationFinder>
  validate: Validate
}

/**
 * By what the document is made from: the modules and the names of the application. Cores of one process often have the same
 * ones, and compiling their schemas takes longer than a test.
 */
const readers: { modules: readonly Module[]; names: string; reader: Reader }[] = []

function readerOf({ registry, product }: Core): Reader {
  const { modules } = registry
  const names = JSON.stringify(product)
  const known = readers.find((each) => each.names === names && isSame(each.modules, modules))
  if (known) return known.reader
  const document = openapiDocument({ registry, product })
  const reader = { document, find: operationFinder(document), validate: createDocumentValidator(document) }
  readers.push({ modules, names, reader })
  return reader
}

const isSame = (some: readonly Module[], others: readonly Module[]) =>
  some.length === others.length && some.every((each, index) => each === others[index])

/** What holds for every answer, whoever gave it. */
function problemsOfAll({ status, headers, body }: Answered): string[] {
  const problems: string[] = []
  const requestId = headers['x-request-id']
  if (typeof requestId !== 'string' || requestId === '') problems.push('it carries no X-Request-ID')
  for (const name of ['cache-control', 'x-content-type-options', 'referrer-policy', 'x-frame-options'])
    if (headers[name] === undefined) problems.push(`it carries no ${name}`)
  if (status < 400) return problems
  if (mediaTypeOf(headers) !== 'application/problem+json') problems.push('an error is not application/problem+json')
  if (body === '') return problems // the answer to HEAD
  for (const member of ['type', 'title', 'status', 'detail', 'code', 'request_id'])
    if (body?.[member] === undefined) problems.push(`the problem has no ${member}`)
  if (body?.status !== status) problems.push(`the problem says status ${body?.status}`)
  if (body?.request_id !== requestId) problems.push('request_id is not the one of X-Request-ID')
  return problems
}

function problemsOfUnknown({ status, headers, body }: Answered): string[] {
  if (status === 404 && (body === '' || body.code === 'not_found')) return []
  if (status === 405) return typeof headers.allow === 'string' ? [] : ['a 405 says no methods (Allow)']
  // An address that is no address at all is refused before a route is looked for.
  if (status === 400 && body.code === 'invalid_request') return []
  return ['no operation of the document has this method and path']
}

type Validate = (pointer: string) => ValidateFunction

function problemsOfDeclared(
  method: string,
  answer: Answered,
  { operation, pointer }: FoundOperation,
  document: ReturnType<typeof openapiDocument>,
  validate: Validate,
): string[] {
  const given = operation.responses[String(answer.status)]
  if (!given) return [`the status is not declared, but ${Object.keys(operation.responses).join(', ')} are`]
  const shared = '$ref' in given ? given.$ref.slice('#/components/responses/'.length) : null
  const declared = '$ref' in given ? document.components.responses[given.$ref.split('/').at(-1) ?? ''] : given
  if (!declared) return [`the document refers to a response that it does not have: ${shared}`]
  const problems = Object.entries(declared.headers ?? {})
    .filter(([name, { $ref }]) => {
      const header = document.components.headers[$ref.split('/').at(-1) ?? name]
      return header?.required && answer.headers[name.toLowerCase()] === undefined
    })
    .map(([name]) => `the header ${name} is missing`)
  if (method === 'HEAD') return problems
  const place = shared === null ? `${pointer}/responses/${answer.status}` : `#/components/responses/${shared}`
  return [...problems, ...problemsOfBody(answer, declared.content, place, validate)]
}

function problemsOfBody(answer: Answered, content: object | undefined, place: string, validate: Validate): string[] {
  if (!content) return answer.text === '' ? [] : ['a body is not declared']
  const type = mediaTypeOf(answer.headers)
  // A file, whatever it is.
  if ('*/*' in content) return type === '' ? ['a content type is missing'] : []
  if (!(type in content))
    return [`the content type ${type || '(none)'} is not declared, but ${Object.keys(content).join(', ')} is`]
  const check = validate(`${place}/content${step(type)}/schema`)
  if (check(answer.body)) return []
  return (check.errors ?? []).map(
    ({ instancePath, message, params }) => `#${instancePath} ${message} ${JSON.stringify(params)}`,
  )
}

function mediaTypeOf(headers: Answered['headers']): string {
  return String(headers['content-type'] ?? '').split(';', 1)[0] ?? ''
}

function asPattern(url: string): RegExp {
  return new RegExp(`^${url.replace(/[.*+?^$()[\]\\|]/g, '\\$&').replace(/:\w+/g, '[^/]+')}$`)
}

function memo<T>(make: () => T): () => T {
  let made: { value: T } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}
