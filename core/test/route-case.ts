import assert from 'node:assert/strict'
import type { RegisteredRoute } from '../src/kernel/registry.ts'
import type { Answered } from '../src/testing/index.ts'
import type { World } from './route-world.ts'

/** A request to a route, but for what the route itself says. */
export interface Sent {
  /** Parameters of the path. */
  params?: Record<string, string>
  query?: Record<string, string>
  body?: unknown
  /** Default: the owner's; null: none. */
  token?: string | null
  headers?: Record<string, string>
  /** For the same request once more with the same Idempotency-Key: another token of the same person. */
  again?: () => string | Promise<string>
}

/** How a route is made to succeed. */
export interface RouteCase {
  /** Makes whatever the request needs, anew each time, and says what to send. */
  given(world: World): Sent | Promise<Sent>
  /** Looks at what matters of the answer. */
  see(answer: Answered, sent: Sent, world: World): void | Promise<void>
}

export type RouteCases = Readonly<Record<string, RouteCase>>

/** `GET /stores/:id`, as the cases call a route. */
export const nameOf = ({ method, path }: Pick<RegisteredRoute, 'method' | 'path'>): string => `${method} ${path}`

/** The answer's body has these fields with these values, and maybe more. */
export function has(answer: Answered, fields: Record<string, unknown>): void {
  assert.partialDeepStrictEqual(answer.body, fields)
}
