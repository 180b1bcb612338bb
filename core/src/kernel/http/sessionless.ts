import type { Principal } from '../access/slots.ts'
import type { RegisteredRoute } from '../registry.ts'

/**
 * The caller of a route with an `Idempotency-Key`, without the session. Keys belong to the person, in any session: an
 * answer about one session would be repeated in another, where nothing happened.
 */
export function sessionless({ method, url }: RegisteredRoute, principal: Principal): Principal {
  return {
    ...principal,
    get sessionId(): never {
      throw new Error(`${method} ${url} looks at the session, so it must say \`idempotent: false\``)
    },
  }
}
