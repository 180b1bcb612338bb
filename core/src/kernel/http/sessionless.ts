import type { Principal } from '../access/slots.ts'
import type { RegisteredRoute } from '../registry.ts'

/**
 * Who calls a route that takes an `Idempotency-Key`, without their session. The key is the person's, in whatever session:
 * an answer that says what became of one session would be given again in another, in which nothing happened.
 */
export function sessionless({ method, url }: RegisteredRoute, principal: Principal): Principal {
  return {
    ...principal,
    get sessionId(): never {
      throw new Error(`${method} ${url} looks at the session, so it must say \`idempotent: false\``)
    },
  }
}
