import type { OpenApiDocument, Operation } from '../kernel/http/openapi.ts'

/** An operation of the API document, and where it stands there. */
export interface FoundOperation {
  /** `/api/v1/stores/{id}` */
  path: string
  method: string
  operation: Operation
  /** JSON Pointer into the document. */
  pointer: string
}

/** One step into a JSON Pointer. */
export function step(name: string): string {
  return `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`
}

export function listOperations({ paths }: OpenApiDocument): FoundOperation[] {
  return Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({
      path,
      method: method.toUpperCase(),
      operation,
      pointer: `#/paths${step(path)}${step(method)}`,
    })),
  )
}

/** Whether an answer of it has an end: a stream of events has none, and its own tests. */
export const hasEnd = ({ operation: { responses } }: FoundOperation): boolean =>
  !Object.values(responses).some((each) => 'content' in each && each.content && 'text/event-stream' in each.content)

/** Whether it takes JSON if it takes anything: bytes as they are have tests of their own. */
export const takesJson = ({ operation: { requestBody } }: FoundOperation): boolean =>
  requestBody === undefined || 'application/json' in requestBody.content

/** Finds the operation that a request reaches, by the same rules as the server: fixed words win over parameters, which may be empty. */
export function operationFinder(document: OpenApiDocument) {
  const known = listOperations(document)
    .map((found) => ({ ...found, parts: found.path.split('/'), parameters: found.path.split('{').length }))
    .sort((a, b) => a.parameters - b.parameters)
  return (method: string, url: string): FoundOperation | undefined => {
    const wanted = method === 'HEAD' ? 'GET' : method
    const parts = pathOf(url).split('/').map(decode)
    return known.find(
      (each) =>
        each.method === wanted &&
        each.parts.length === parts.length &&
        each.parts.every((part, i) => part === parts[i] || part.startsWith('{')),
    )
  }
}

/** The path of a request as it is sent: without its query, with `..` and the like resolved. */
export function pathOf(url: string): string {
  return URL.canParse(url, ORIGIN) ? new URL(url, ORIGIN).pathname : url.replace(/[?#].*$/s, '')
}

const ORIGIN = 'http://localhost'

function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
