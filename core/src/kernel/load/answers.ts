import type { Socket } from 'node:net'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { operatorRolesOf } from '../access/operators.ts'
import type { LoadMeter } from './meter.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** It stands in the figures of its tenant. */
    isCounted: boolean
  }
}

/** What of a connection is in the figures of earlier requests already. */
const countedOf = new WeakMap<Socket, number>()

/**
 * Counts a request once it is answered, or its client has left: for the tenant of its credential, where that was good. What is
 * asked of routes for operators is nobody's. A second call counts nothing.
 */
export function countAnswer(
  load: LoadMeter,
  request: FastifyRequest,
  { statusCode }: Pick<FastifyReply, 'statusCode'>,
) {
  if (!load.isOn || request.isCounted) return
  request.isCounted = true
  const tally = load.of(tenantOf(request))
  tally.requests++
  if (statusCode >= 500) tally.errors++
  const { socket } = request.raw
  // A test that calls without a server has no such counts.
  const total = socket.bytesRead + socket.bytesWritten
  if (!(total > 0)) return
  tally.bytes += total - (countedOf.get(socket) ?? 0)
  countedOf.set(socket, total)
}

function tenantOf({ identity, routeOptions }: FastifyRequest): string | null {
  const { route } = routeOptions.config
  return identity === null || (route && operatorRolesOf(route.access) !== null) ? null : identity.principal.tenantId
}
