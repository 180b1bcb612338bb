import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { recordImpersonated } from '../access/impersonated-requests.ts'
import type { Core } from '../core.ts'
import { unavailable } from '../errors.ts'
import { originOf } from './handle.ts'
import type { Identity } from './identify.ts'
import { PROBLEM_TYPE, problemDocument } from './problem.ts'

/** An answer to an operator who acts as somebody else, on its way out. */
interface Leaving {
  request: FastifyRequest
  reply: FastifyReply
  payload: unknown
  identity: Identity
  /** The headers of every answer. */
  standing: Readonly<Record<string, string>>
}

/** What leaves: the answer, once its request is on record, and not otherwise. */
export async function recordThenSend(core: Core, leaving: Leaving): Promise<unknown> {
  const { request, reply, payload, identity } = leaving
  const { method, params, routeOptions } = request
  const stream = payload instanceof Readable ? payload : undefined
  // Nobody reads it yet: what fails meanwhile is told to whoever does.
  stream?.on('error', () => {})
  try {
    const told = { method, route: routeOptions.url ?? 'none', params, status: reply.statusCode }
    await recordImpersonated(core, { ...told, identity, origin: originOf(request) })
    return payload
  } catch (error) {
    request.log.error({ err: error, request_id: request.id }, 'a request under impersonation could not be recorded')
    stream?.destroy()
    return withheld(leaving)
  }
}

/** Headers that stay where another answer takes the place of one that must not leave. */
const KEPT = /^(?:x-request-id|vary|access-control-.*)$/

/**
 * The 503 in place of an answer that could not be recorded: what nobody could find out about later does not leave. What
 * the request changed is on record by itself.
 */
function withheld({ request, reply, standing }: Leaving): string {
  for (const name of Object.keys(reply.getHeaders())) if (!KEPT.test(name)) reply.removeHeader(name)
  const error = unavailable({ detail: 'This request could not be recorded', headers: { 'retry-after': '1' } })
  reply.code(error.status).headers({ ...standing, ...error.details.headers, 'content-type': PROBLEM_TYPE })
  return JSON.stringify(problemDocument(error, request.id, request.server.problemTypes))
}
