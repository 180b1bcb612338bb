import type { Method } from '../module.ts'
import type { RegisteredRoute } from '../registry.ts'

/** Whether a method changes nothing. */
export const isSafe = (method: Method): boolean => method === 'GET' || method === 'OPTIONS'

/** Whether requests of a method have no body. */
export const hasNoBody = (method: Method): boolean => isSafe(method) || method === 'DELETE'

/** The methods of each address of a core. */
export interface MethodTable {
  /** The methods of a path, for `Allow`; null for an unknown path. */
  allowed(path: string): string | null
  /** The routes of a path; empty for an unknown path. */
  routesAt(path: string): readonly RegisteredRoute[]
  /**
   * Whether the path has routes of its own and the given route only covers it by a parameter: `/users/invite` under
   * `/users/:id`.
   */
  isOthers(route: RegisteredRoute, path: string): boolean
  /** Whether a route covers such paths, so that its requests need the check above. */
  coversOthers(route: RegisteredRoute): boolean
}

/** A segment of paths; the end of one if `url` is set. */
interface Step {
  fixed: Map<string, Step>
  any: Step | null
  url: string | null
  methods: Set<string>
  routes: RegisteredRoute[]
}

/** Built once from the routes. It is used for requests without a route, and where one pattern covers another path. */
export function createMethodTable(routes: readonly RegisteredRoute[]): MethodTable {
  const root = emptyStep()
  for (const route of routes) {
    const { url, method } = route
    const step = stepsOf(url).reduce(grow, root)
    step.url = shapeOf(url)
    step.routes.push(route)
    step.methods.add(method)
    if (method === 'GET') step.methods.add('HEAD')
  }
  const lookUp = (path: string): Step | null => {
    const parts = decoded(path)
    return parts && find(root, parts, 0)
  }
  const patterns = [...new Set(routes.map(({ url }) => url))].map((url) => ({
    shape: shapeOf(url),
    parts: stepsOf(url),
  }))
  const byLength = Map.groupBy(patterns, ({ parts }) => parts.length)
  const covering = new Set(
    patterns
      .filter((wide) => byLength.get(wide.parts.length)?.some((url) => covers(wide, url)))
      .map(({ shape }) => shape),
  )
  return {
    allowed: (path) => {
      const step = lookUp(path)
      return step ? [...step.methods].sort().join(', ') : null
    },
    routesAt: (path) => lookUp(path)?.routes ?? [],
    isOthers: ({ url }, path) => {
      const step = lookUp(path)
      return step !== null && step.url !== shapeOf(url)
    },
    coversOthers: ({ url }) => covering.has(shapeOf(url)),
  }
}

const emptyStep = (): Step => ({ fixed: new Map(), any: null, url: null, methods: new Set(), routes: [] })
const stepsOf = (path: string) => path.split('/').slice(1)
const isParameter = (part: string) => part.startsWith(':')
const shapeOf = (url: string) => url.replace(/:\w+/g, ':')

function grow(step: Step, part: string): Step {
  if (isParameter(part)) {
    step.any ??= emptyStep()
    return step.any
  }
  const next = step.fixed.get(part) ?? emptyStep()
  step.fixed.set(part, next)
  return next
}

/** As the router does: fixed segments take precedence over parameters. */
function find(step: Step, parts: readonly string[], at: number): Step | null {
  const part = parts[at]
  if (part === undefined) return step.url === null ? null : step
  const fixed = step.fixed.get(part)
  const found = fixed && find(fixed, parts, at + 1)
  if (found) return found
  return step.any && part !== '' ? find(step.any, parts, at + 1) : null
}

/** The segments of a request's path; null when it cannot be decoded. */
function decoded(path: string): string[] | null {
  const bare = path.replace(/^[a-z]+:\/\/[^/?#]*/i, '').split(/[?#]/, 1)[0] ?? ''
  try {
    return stepsOf(bare).map(decodeURIComponent)
  } catch {
    return null
  }
}

interface Pattern {
  shape: string
  parts: readonly string[]
}

/** Whether a pattern takes in another one of as many segments. */
function covers(wide: Pattern, narrow: Pattern): boolean {
  if (wide.shape === narrow.shape) return false
  return wide.parts.every((part, at) => isParameter(part) || part === narrow.parts[at])
}
