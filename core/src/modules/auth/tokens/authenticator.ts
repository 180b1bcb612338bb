import {
  type Authenticator,
  type Core,
  type ErrorKind,
  invalidAccessToken,
  isAhead,
  type Principal,
  SECONDS,
  type Standing,
  type Tx,
} from '#kernel'
import { tenantSuspended } from '../../tenants/index.ts'
import { accessTokenExpired, sessionRevoked } from '../errors.ts'
import { impersonatedStanding } from '../sessions/impersonation.ts'
import { findMembership, findSessionWithUser } from '../sessions/session-queries.ts'
import { type ProvenClaims, verifyAccessToken } from './access-tokens.ts'

/** People who have signed in: an access token, and what the database says of its session. */
export const sessionAuthenticator: Authenticator & { readonly errors: readonly ErrorKind[] } = {
  name: 'session',
  impersonates: true,
  errors: [invalidAccessToken, accessTokenExpired, sessionRevoked, tenantSuspended],
  // Whatever has the look of a JWT, broken ones included: who sends such a thing is to hear what is wrong with it.
  matches: (credential) => credential.includes('.') || credential.startsWith('eyJ'),
  identify(core, credential) {
    const claims = verifyAccessToken(core, credential)
    return claims instanceof Promise ? claims.then(principalOf) : principalOf(claims)
  },
  standing,
}

function principalOf({ sub, sid, tid, exp, act }: ProvenClaims): Principal {
  if (act)
    return {
      key: `session:${sid}:${sub}:${tid}:${act.sub}:${act.sid}`,
      tenantId: tid,
      userId: sub,
      sessionId: sid,
      createdBy: act.sub,
      begunIn: act.sid,
      endsAtMs: exp * SECONDS,
      actor: { type: 'user', id: sub, label: '', impersonatorId: act.sub },
    }
  return {
    // All that `standing` looks at: whoever finds a remembered answer would have got the same one.
    key: `session:${sid}:${sub}:${tid ?? ''}`,
    tenantId: tid,
    userId: sub,
    sessionId: sid,
    endsAtMs: exp * SECONDS,
    actor: { type: 'user', id: sub, label: '', impersonatorId: null },
  }
}

/**
 * A change of password revokes the person's sessions in the same transaction, so a live session is also one that was
 * opened with the password of now.
 */
async function standing(tx: Tx, principal: Principal, core: Core): Promise<Standing> {
  const { userId, sessionId, tenantId } = principal
  if (userId === null || sessionId === null) throw sessionRevoked()
  if (principal.actor.impersonatorId !== null) return impersonatedStanding(tx, principal, core)
  // Both are sent at once; the second is not asked for when there is no tenant.
  const [session, membership] = await Promise.all([
    findSessionWithUser(tx, sessionId),
    tenantId === null ? undefined : findMembership(tx, tenantId, userId),
  ])
  if (!session || session.revoked_at !== null || session.user_id !== userId) throw sessionRevoked()
  if (Date.parse(session.expires_at) <= core.clock.ms() || session.status !== 'active') throw sessionRevoked()
  // Somebody else acts in it: nobody gets in by a token that does not say so.
  if (session.operator_id !== null) throw sessionRevoked()
  // Its ends were reckoned by a clock that was wrong, and would come too late.
  if (isAhead(core.clock, session.created_at)) throw sessionRevoked()
  if (tenantId !== null) {
    if (membership?.member_status !== 'active') throw sessionRevoked()
    if (membership.tenant_status !== 'active') throw tenantSuspended()
  }
  return {
    actor: { ...principal.actor, label: session.name },
    superAdmin: session.is_super_admin,
    operatorRoles: session.operator_roles,
    scopes: null,
  }
}
