import {
  type Core,
  type Ctx,
  isAhead,
  least,
  momentAt,
  newId,
  type Principal,
  SECONDS,
  type SettingMoment,
  type Standing,
  type Tx,
} from '#kernel'
import { tenantSuspended } from '../../tenants/index.ts'
import { sessionRevoked } from '../errors.ts'
import { deviceName } from '../sign-in/devices.ts'
import { IMPERSONATION_SECONDS, signAccessToken } from '../tokens/access-tokens.ts'
import { type FoundImpersonation, findImpersonation, insertImpersonation } from './impersonation-queries.ts'
import { findTenantOfMember } from './session-queries.ts'
import { supportAccessIn } from './support-access.ts'

/** Why an operator stops to act as somebody else before the time is over. */
export const INTERRUPTIONS = [
  'revoked',
  'operator_signed_out',
  'operator_not_allowed',
  'not_a_member',
  'tenant_suspended',
  'support_access_ended',
] as const // the words are a type
export type Interruption = (typeof INTERRUPTIONS)[number]

/** What an operator gets who begins to act as somebody else. */
export interface Impersonation {
  sessionId: string
  accessToken: string
  expiresIn: number
  expiresAt: string
}

/** Whom an operator acts as, in the tenant of the context. */
export interface Impersonated {
  userId: string
  readOnly: boolean
  /** When the tenant's grant ends; null: it grants without end. */
  grantedUntil: string | null
}

/**
 * Opens the session in which the operator who calls acts as a person, for a quarter of an hour or as long as the tenant
 * grants; no token renews it. As the system role, in the tenant. Whoever calls has looked whether that may be.
 */
export async function openImpersonation(
  ctx: Ctx,
  { userId, readOnly, grantedUntil }: Impersonated,
): Promise<Impersonation> {
  const { clock, origin, principal, tenantId } = ctx
  if (!principal?.sessionId) throw sessionRevoked()
  const longest = momentAt(clock.ms() + IMPERSONATION_SECONDS * SECONDS)
  const expiresAt = least(longest, grantedUntil) ?? longest
  const act = { sub: ctx.userId, sid: principal.sessionId }
  const id = newId()
  await insertImpersonation(ctx.tx, {
    id,
    user_id: userId,
    created_at: clock.now(),
    last_active_at: clock.now(),
    expires_at: expiresAt,
    revoked_at: null,
    ip_address: origin.ipAddress,
    user_agent: origin.userAgent,
    device: deviceName(origin.userAgent),
    in_cookie: false,
    operator_id: act.sub,
    operator_session_id: act.sid,
    scope_tenant_id: tenantId,
    read_only: readOnly,
  })
  const claims = { sub: userId, sid: id, tid: tenantId, act }
  const { accessToken, expiresIn } = await signAccessToken(ctx, claims, Date.parse(expiresAt), IMPERSONATION_SECONDS)
  return { sessionId: id, accessToken, expiresIn, expiresAt }
}

/** What an operator may do as somebody else now: what that person may. Throws 401 `session_revoked`, 403 `tenant_suspended`. */
export async function impersonatedStanding(tx: Tx, principal: Principal, core: Core): Promise<Standing> {
  const { sessionId, userId, tenantId } = principal
  if (sessionId === null || userId === null || tenantId === null) throw sessionRevoked()
  const state = await readState(tx, { sessionId, userId, tenantId })
  const { session } = state
  if (!session || !isOf(session, principal) || session.expires_at <= core.clock.now()) throw sessionRevoked()
  // Its end was reckoned by a clock that was wrong, and would come too late.
  if (isAhead(core.clock, session.created_at)) throw sessionRevoked()
  const why = interruptionOf(state, core)
  if (why !== null) throw why === 'tenant_suspended' ? tenantSuspended() : sessionRevoked()
  const grant = state.tenant && supportAccessIn(state.tenant.settings, core)
  return {
    actor: { ...principal.actor, label: `${session.name} (support: ${session.operator_name})` },
    superAdmin: false,
    scopes: null,
    // Anything but a plain no.
    readOnly: session.read_only !== false,
    endsAt: least(session.expires_at, grant?.until),
  }
}

/** Why a session of the tenant's in which an operator acts as a person is over before its time; null: it is not. */
export async function findInterruption(ctx: Ctx, sessionId: string, userId: string): Promise<Interruption | null> {
  return interruptionOf(await readState(ctx.tx, { sessionId, userId, tenantId: ctx.tenantId }), ctx)
}

interface State {
  session: FoundImpersonation | undefined
  tenant: Awaited<ReturnType<typeof findTenantOfMember>>
}

/** Both are sent at once. */
async function readState(
  tx: Tx,
  { sessionId, userId, tenantId }: { sessionId: string; userId: string; tenantId: string },
): Promise<State> {
  const [session, tenant] = await Promise.all([
    findImpersonation(tx, sessionId),
    findTenantOfMember(tx, tenantId, userId),
  ])
  return { session, tenant }
}

/** Whether a session is the one that a token speaks of, in all that the token says. */
const isOf = (session: FoundImpersonation, { userId, tenantId, actor, begunIn }: Principal): boolean =>
  session.user_id === userId &&
  session.scope_tenant_id === tenantId &&
  session.operator_id === actor.impersonatorId &&
  session.operator_session_id === begunIn

function interruptionOf({ session, tenant }: State, at: SettingMoment): Interruption | null {
  if (!session || session.revoked_at !== null) return 'revoked'
  if (session.own_user_id !== session.operator_id || session.own_revoked_at !== null) return 'operator_signed_out'
  if (session.own_expires_at <= at.clock.now()) return 'operator_signed_out'
  if (!mayImpersonate(session)) return 'operator_not_allowed'
  if (tenant?.member_status !== 'active' || session.status !== 'active') return 'not_a_member'
  if (tenant.status !== 'active') return 'tenant_suspended'
  return supportAccessIn(tenant.settings, at) === null ? 'support_access_ended' : null
}

/** Operators of support look; those who may everything also write. */
function mayImpersonate(operator: FoundImpersonation): boolean {
  const { operator_status, is_super_admin, operator_roles, read_only } = operator
  if (operator_status !== 'active') return false
  return is_super_admin || (read_only === true && operator_roles.includes('support'))
}
