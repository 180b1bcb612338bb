import type { Ctx } from '../context.ts'
import { impersonationRefused } from './impersonation.ts'

/** Throws 403 `permission_denied` where an operator acts as the person: for what only they themselves may do. */
export function requireOwnHand({ actor, principal }: Pick<Ctx, 'actor' | 'principal'>): void {
  if (actor.impersonatorId !== null || (principal && principal.actor.impersonatorId !== null))
    throw impersonationRefused()
}
