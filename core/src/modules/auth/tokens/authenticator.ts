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
import { findMembership, findSessionWithUser } from '../sessions/session-queries.ts'
import { type ProvenClaims, verifyAccessToken } from './access-tokens.ts'

/** People who have signed in: an access token, and what the database says of its session. */
export const sessionAuthenticator: Authenticator & { readonly errors: readonly ErrorKind[] } = {
  name: 'session',
  errors: [invalidAccessToken, accessTokenExpired, sessionRevoked, tenantSuspended],
  // Whatever has the look of a JWT, broken ones included: who sends such a thing is to hear what is wrong with it.
  matches: (credential) => credential.includes('.') || credential.startsWith('eyJ'),
  identify(core, credential) {
    const claims = verifyAccessToken(core, credential)
    return claims instanceof Promise ? claims.then(principalOf) : principalOf(claims)
  },
  standing,
}

function principalOf({ sub, sid, tid, exp }: ProvenClaims): Principal {
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
  // Both are sent at once; the second is not asked for when there is no tenant.
  const [session, membership] = await Promise.all([
    findSessionWithUser(tx, sessionId),
    tenantId === null ? undefined : findMembership(tx, tenantId, userId),
  ])
  if (!session || session.revoked_at !== null || session.user_id !== userId) throw sessionRevoked()
  if (Date.parse(session.expires_at) <= core.clock.ms() || session.status !== 'active') throw sessionRevoked()
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
