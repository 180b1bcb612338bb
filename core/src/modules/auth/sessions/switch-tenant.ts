import { type Ctx, invalidRequest, permissionDenied } from '#kernel'
import { tenantSuspended } from '../../tenants/index.ts'
import { recordLogin } from '../../users/index.ts'
import { sessionRevoked } from '../errors.ts'
import { signedIn } from '../events.ts'
import type { Tokens } from '../schema.ts'
import type { SessionRow } from '../table.ts'
import { admit } from './admission.ts'
import { findSession } from './session-queries.ts'
import { joinSession } from './sessions.ts'

/**
 * Issues tokens for another of the person's tenants in the same session. They form a second lineage, so that other
 * windows keep their tokens. Throws 400 where the session keeps its tokens the other way, 403 `permission_denied` for a
 * tenant that isn't theirs, `tenant_suspended`.
 */
export async function switchTenant(ctx: Ctx, tenantId: string, inCookie: boolean): Promise<Tokens> {
  const { userId, principal } = ctx
  const sessionId = principal?.sessionId
  if (!sessionId) throw permissionDenied({ detail: 'Only a person who has signed in can switch' })
  return ctx.transaction(
    async (ctx) => {
      const [session, admission] = await Promise.all([findSession(ctx.tx, sessionId), admit(ctx, userId)])
      requireModeOf(session, inCookie)
      if (admission === 'suspended') throw tenantSuspended()
      if (admission === 'not_member') throw permissionDenied({ detail: NOT_YOURS })
      const [tokens] = await Promise.all([joinSession(ctx, { session, admission }), recordSwitch(ctx, sessionId)])
      return tokens
    },
    { tenantId },
  )
}

/**
 * A session issues tokens only the way it keeps its own: otherwise a script with an access token could get a refresh
 * token that the cookie keeps from scripts. Throws 401 `session_revoked`, 400.
 */
export function requireModeOf(session: SessionRow | undefined, inCookie: boolean): asserts session is SessionRow {
  if (!session || session.revoked_at !== null) throw sessionRevoked()
  if (session.in_cookie === inCookie) return
  const detail = session.in_cookie
    ? 'must say cookie: this session is in one'
    : 'must be left out: this session is not in a cookie'
  throw invalidRequest({ errors: [{ pointer: 'headers/x-session-mode', detail }] })
}

export const NOT_YOURS = 'This tenant is not one of yours'

/** Records that the acting person entered the tenant of this transaction with an existing session. */
export async function recordSwitch(ctx: Ctx, sessionId: string): Promise<void> {
  const { id: userId, label } = ctx.actor
  if (userId === null) throw new Error('Nobody has come into the tenant')
  await Promise.all([
    recordLogin(ctx, userId, ctx.tenantId),
    ctx.emit(signedIn, { id: userId, label, storeId: null, after: { method: 'switch', session_id: sessionId } }),
  ])
}
