import { newId } from '#kernel'
import type { RegisteredRoute } from '../src/kernel/registry.ts'
import type { SentFile } from '../src/testing/form.ts'
import type { Answered, Filled, Tenant } from '../src/testing/index.ts'
import type { World } from '../src/testing/isolation/world.ts'
import { SOME_FILE } from '../src/testing/isolation/written.ts'

/** A request to a route, but for what the route itself says. */
export interface Sent {
  /** Parameters of the path. */
  params?: Record<string, string>
  query?: Record<string, string>
  body?: unknown
  /** For a route that takes its body as it is; JSON. */
  raw?: string | Buffer
  /** For a route that takes a form with a file: with `body` as its fields. */
  file?: SentFile
  /** Null: none. */
  token?: string | null
  headers?: Record<string, string>
}

/** A request that succeeds, and whose it is: the tenant with everything made anew. */
export interface Prepared {
  sent: Omit<Filled, 'token' | 'body'> & { token: string | null; body: unknown }
  /** As its case sees it. */
  filled: Filled
  tenant: Tenant
}

/** Makes whatever the route's case needs, and the request; what may be left out is. */
export async function prepare(world: World, route: RegisteredRoute, tenant?: Tenant): Promise<Prepared> {
  const fresh = tenant ?? (await world.afresh(world.a))
  const filled = await world.fill(route, fresh, { complete: false })
  const token = filled.token ?? (route.access === 'public' ? null : fresh.owner)
  return {
    sent: { ...filled, token, body: (route.body ?? route.form) ? filled.body : undefined },
    filled,
    tenant: fresh,
  }
}

/** Where a route answers: with the parameters given, and ids that never were for the others. */
export function urlOf({ url }: Pick<RegisteredRoute, 'url'>, { params, query }: Sent): string {
  const path = url.replace(/:(\w+)/g, (_, name: string) => params?.[name] ?? newId())
  const search = new URLSearchParams(query).toString()
  return search ? `${path}?${search}` : path
}

/** Sends a request to a route, as A's owner unless it says otherwise. */
export function send(
  world: World,
  route: Pick<RegisteredRoute, 'url'> & { method: string } & Partial<Pick<RegisteredRoute, 'raw' | 'stream' | 'form'>>,
  sent: Sent,
): Promise<Answered> {
  const { token = world.a.owner, body, raw, headers = {} } = sent
  if (route.form && body !== undefined) {
    const form = { fields: body as Record<string, unknown>, file: sent.file ?? SOME_FILE } // its fields
    return world.test.request(route.method, urlOf(route, sent), { token, headers, form })
  }
  if (raw !== undefined) {
    const types = route.raw ?? route.stream
    const [type = 'application/json'] = Array.isArray(types) ? types : []
    const typed = { 'content-type': type, ...headers }
    return world.test.request(route.method, urlOf(route, sent), { token, headers: typed, payload: raw })
  }
  return world.test.request(route.method, urlOf(route, sent), {
    token,
    headers,
    ...(body === undefined ? {} : { body }),
  })
}

/** An answer as far as it must not tell two requests apart. */
export function withoutRequestId(answer: Answered | undefined): unknown {
  const { 'x-request-id': _, date: __, ...headers } = answer?.headers ?? {}
  const { request_id: ___, ...body } = answer?.body ?? {}
  return { status: answer?.status, headers, body }
}
