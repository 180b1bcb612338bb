import { permissionDenied } from '../errors.ts'
import type { Identity } from '../http/identify.ts'
import { isSafe } from '../http/methods.ts'
import { handsOutSecrets } from '../http/secret-answers.ts'
import type { Access, Method, Responses } from '../route.ts'
import type { Callers } from '../specs.ts'
import { operatorRolesOf } from './operators.ts'

/**
 * What of a route is for operators who act as somebody else.
 * - `refused`: nothing. What only the person may do, what they could act by later, and what reaches beyond the tenant.
 * - `reads`: all of it. Of an operator who only reads, its transactions only read.
 * - `writes`: all of it, for operators who may write.
 * - `always`: all of it, also for operators who only read, who write what the route writes: that something was read, say.
 */
export const IMPERSONATIONS = ['refused', 'reads', 'writes', 'always'] as const // the words are the type
export type Impersonation = (typeof IMPERSONATIONS)[number]

interface Declared {
  method: Method
  access: Access
  callers: Callers
  response: Responses
  onlyAsks: boolean
  acrossTenants: boolean
  entersTenants: boolean
}

/** What holds for a route that says nothing: refused, unless its declaration shows that it is harmless. */
export function defaultImpersonation(route: Declared): Impersonation {
  const { method, access, callers, onlyAsks } = route
  if (isOutOfReach(route) || route.acrossTenants || route.entersTenants) return 'refused'
  if (isSafe(method) || onlyAsks) return 'reads'
  // Whatever needs a person, or nobody in particular, is more than what the tenant's own rights say.
  return access === 'public' || callers === 'people' ? 'refused' : 'writes'
}

/** Problems with what a route says of it. The declaration may be unchecked. */
export function problemsOfImpersonation(route: Declared & { impersonation: Impersonation }): string[] {
  const { impersonation } = route
  if (!IMPERSONATIONS.includes(impersonation)) return [`has the unknown impersonation '${impersonation}'`]
  if (impersonation === 'refused' || !isOutOfReach(route)) return []
  return ['hands out a secret or is for operators: under impersonation it can only be refused (impersonation)']
}

const isOutOfReach = ({ access, response }: Pick<Declared, 'access' | 'response'>) =>
  operatorRolesOf(access) !== null || handsOutSecrets(response)

type Caller = Pick<Identity, 'resolved'>

/** Whether an operator acts as the person that the credential names. */
export const isImpersonated = ({ resolved }: Caller): boolean => resolved.actor.impersonatorId !== null

/** Throws 403 `permission_denied` for an operator who acts as somebody else and may not do this so. */
export function requireNotRefused({ impersonation }: { impersonation: Impersonation }, caller: Caller): void {
  if (!isImpersonated(caller)) return
  if (impersonation === 'refused') throw impersonationRefused()
  if (impersonation === 'writes' && caller.resolved.readOnly) throw permissionDenied({ detail: ONLY_READS })
}

/** What an operator is told who may only read. */
export const ONLY_READS = 'You act as somebody else and may only read'

/** What nobody does as somebody else. */
export const impersonationRefused = () => permissionDenied({ detail: 'Nobody does this as somebody else' })

/** Whether the transactions of a request write nothing, whatever its route does. */
export const writesNothing = ({ impersonation }: { impersonation: Impersonation }, { resolved }: Caller): boolean =>
  resolved.readOnly && impersonation !== 'always'
