import type { FastifyRequest } from 'fastify'
import type { Authenticator, Principal } from '../access/slots.ts'
import type { Resolved } from '../access/standing.ts'
import type { Core } from '../core.ts'
import { defineError, scopeDenied, unauthenticated } from '../errors.ts'
import type { Registry } from '../registry.ts'

export const invalidAccessToken = defineError('invalid_access_token', 401, 'The access token is not valid')
export const invalidApiKey = defineError('invalid_api_key', 401, 'The API key is not valid')

/** The caller of a request: the verified credential and its current state. */
export interface Identity {
  authenticator: Authenticator
  principal: Principal
  resolved: Resolved
}

/** Identifies the caller. Throws 401 without a credential, or for an invalid one. */
export async function identify(core: Core, request: FastifyRequest): Promise<Identity> {
  const credential = credentialOf(request, takesKeys(core.registry))
  if (credential === null) throw unauthenticated()
  const { token, isKey } = credential
  // `X-API-Key` accepts API keys only.
  const authenticator = core.registry.authenticators.find((each) => each.matches(token) && (!isKey || each.takesKeys))
  if (!authenticator) throw isKey ? invalidApiKey() : invalidAccessToken()
  return fromItsNetworks(await prove(core, authenticator, token), request.address)
}

/** As `identify`, for public routes: null without a credential, or for an invalid one. */
export async function identifyIfPossible(core: Core, request: FastifyRequest): Promise<Identity | null> {
  if (request.headers.authorization === undefined) return null
  try {
    return await identify(core, request)
  } catch {
    return null
  }
}

async function prove(core: Core, authenticator: Authenticator, credential: string): Promise<Identity> {
  const identified = authenticator.identify(core, credential)
  const principal = identified instanceof Promise ? await identified : identified
  return { authenticator, principal, resolved: await core.standings.resolve(authenticator, principal) }
}

/** Throws 403 `scope_denied` for a credential that is used from elsewhere; an unknown address is elsewhere. */
function fromItsNetworks(identity: Identity, address: string | null): Identity {
  const { mayComeFrom } = identity.resolved
  if (mayComeFrom !== null && (address === null || !mayComeFrom(address)))
    throw scopeDenied({ detail: 'This API key may not be used from this address' })
  return identity
}

/** Whether operators can act as somebody else. */
export function impersonates({ authenticators }: Registry): boolean {
  return authenticators.some((each) => each.impersonates)
}

const BEARER = /^Bearer +([\w.~+/=-]{1,4096})$/i

/** Whether any module brings API keys; without one, `X-API-Key` is a header like any other. */
export function takesKeys({ authenticators }: Registry): boolean {
  return authenticators.some((each) => each.takesKeys)
}

function credentialOf({ headers, raw }: FastifyRequest, isKeyTaken: boolean): { token: string; isKey: boolean } | null {
  const { authorization } = headers
  if (authorization === undefined) {
    const key = isKeyTaken ? headers['x-api-key'] : undefined
    if (key === undefined) return null
    if (typeof key !== 'string' || !/^[\w.~+/=-]{1,512}$/.test(key)) throw invalidApiKey()
    return { token: key, isKey: true }
  }
  // Node keeps the first of several Authorization headers; a proxy may have used the last.
  if (isGivenTwice(raw.rawHeaders)) throw invalidAccessToken({ detail: 'Authorization was sent more than once' })
  const token = BEARER.exec(authorization)?.[1]
  if (token === undefined) throw invalidAccessToken({ detail: 'Send `Authorization: Bearer <token>`' })
  return { token, isKey: false }
}

function isGivenTwice(rawHeaders: readonly string[]): boolean {
  let count = 0
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]
    if (name?.length === 13 && name.toLowerCase() === 'authorization') count++
  }
  return count > 1
}
