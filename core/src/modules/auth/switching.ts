import { type Ctx, permissionDenied } from '#kernel'
import { tenantSuspended } from '../tenants/index.ts'
import { recordLogin } from '../users/index.ts'
import { admit } from './admission.ts'
import { sessionRevoked } from './errors.ts'
import { signedIn } from './events.ts'
import type { Tokens } from './schema.ts'
import { findSession } from './session-queries.ts'
import { joinSession } from './sessions.ts'

/**
 * Tokens for another of the person's tenants, in the same session: a second lineage, so that what other windows hold
 * goes on working where they are. Throws 403 `permission_denied` for a tenant that isn't theirs, `tenant_suspended`.
 */
export async function switchTenant(ctx: Ctx, tenantId: string): Promise<Tokens> {
  const { userId, principal } = ctx
  const sessionId = principal?.sessionId
  if (!sessionId) throw permissionDenied({ detail: 'Only a person who has signed in can switch' })
  return ctx.transaction(
    async (ctx) => {
      const [session, admission] = await Promise.all([findSession(ctx.tx, sessionId), admit(ctx, userId)])
      if (!session || session.revoked_at !== null) throw sessionRevoked()
      if (admission === 'suspended') throw tenantSuspended()
      if (admission === 'not_member') throw permissionDenied({ detail: 'This tenant is not one of yours' })
      const [tokens] = await Promise.all([
        joinSession(ctx, { session, admission }),
        recordLogin(ctx, userId, tenantId),
        ctx.emit(signedIn, {
          id: userId,
          label: ctx.actor.label,
          storeId: null,
          after: { method: 'switch', session_id: sessionId },
        }),
      ])
      return tokens
    },
    { tenantId },
  )
}
