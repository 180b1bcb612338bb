import { newId } from '#kernel'
import type { RegisteredRoute } from '../src/kernel/registry.ts'
import type { Answered } from '../src/testing/index.ts'
import type { Sent } from './route-case.ts'
import type { World } from './route-world.ts'

/** Where a route answers: with the parameters given, and ids that never were for the others. */
export function urlOf({ url }: Pick<RegisteredRoute, 'url'>, { params, query }: Sent): string {
  const path = url.replace(/:(\w+)/g, (_, name: string) => params?.[name] ?? newId())
  const search = new URLSearchParams(query).toString()
  return search ? `${path}?${search}` : path
}

/** Sends a request to a route, as the owner unless it says otherwise. */
export function send(
  world: World,
  route: Pick<RegisteredRoute, 'url'> & { method: string },
  sent: Sent,
): Promise<Answered> {
  const { token = world.owner.token, body, headers = {} } = sent
  return world.test.request(route.method, urlOf(route, sent), {
    token,
    headers,
    ...(body === undefined ? {} : { body }),
  })
}

/** The parameters of a route's path that are ids, each with the word before it: `['role_id', 'roles']`. */
export function idParams({ path }: RegisteredRoute): [name: string, word: string][] {
  return [...path.matchAll(/(\w+)\/:((?:\w+_)?id)(?=\/|$)/g)].map(([, word = '', name = '']) => [name, word])
}

/** An answer as far as it must not tell two requests apart. */
export function withoutRequestId(answer: Answered | undefined): unknown {
  const { 'x-request-id': _, date: __, ...headers } = answer?.headers ?? {}
  const { request_id: ___, ...body } = answer?.body ?? {}
  return { status: answer?.status, headers, body }
}
