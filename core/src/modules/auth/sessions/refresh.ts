import { type Ctx, hashToken, isAhead, permissionDenied, randomToken, SECONDS } from '#kernel'
import { tenantSuspended } from '../../tenants/index.ts'
import { accountDisabled, invalidRefreshToken, refreshTokenReused, sessionRevoked } from '../errors.ts'
import { refreshTokenReplayed } from '../events.ts'
import type { Tokens } from '../schema.ts'
import { actorOf } from '../sign-in/complete-sign-in.ts'
import type { RefreshTokenRow } from '../table.ts'
import { admit } from './admission.ts'
import {
  type FoundToken,
  findRefreshToken,
  findSessionWithUser,
  findTokenIn,
  updateRefreshTokenUsed,
  updateSessionRevoked,
} from './session-queries.ts'
import { addRefreshToken, type Holder, issueTokens, recordUse } from './sessions.ts'
import { NOT_YOURS, recordSwitch } from './switch-tenant.ts'

/**
 * For this long after its first use a token is answered with the same successor: two tabs may send it, or an answer was
 * lost.
 */
const GRACE_MS = 30 * SECONDS

/** A refresh token of a request, and whether it came in a cookie or in the body. */
interface RefreshInput {
  refreshToken: string
  inCookie: boolean
  wanted?: string
}

/**
 * Exchanges a refresh token for its successor and a fresh access token. Throws 401 `invalid_refresh_token`,
 * `session_revoked`, or `refresh_token_reused`, which ends the session; 403 `account_disabled` or `tenant_suspended`,
 * after which the token can still be used.
 *
 * `wanted`: the tenant to act in from now on, in place of the one that the token was made for; in a browser all tabs share
 * one token, whatever tenant each is in. Throws 403 `permission_denied` for one that isn't the person's.
 */
export async function refresh(ctx: Ctx, { refreshToken, inCookie, wanted }: RefreshInput): Promise<Tokens> {
  const row = await findGivenToken(ctx, refreshToken)
  // A token is accepted only the way it was issued: a script must not use one from a cookie, nor plant one in a cookie.
  if (row?.in_cookie !== inCookie) throw invalidRefreshToken()
  const tenantId = wanted?.toLowerCase() ?? row.scope_tenant_id
  const tokens = await ctx.transaction((ctx) => exchange(ctx, row, refreshToken), { tenantId })
  if (tokens !== 'reused') return tokens
  // In the tenant of the token, not the requested one: whether the caller may write there has not been checked.
  await ctx.transaction((ctx) => endReusedSession(ctx, row), { tenantId: row.scope_tenant_id })
  throw refreshTokenReused()
}

/** Whether a refresh token from a cookie is of no use in any tenant. A refusal by one tenant does not make it so. */
export async function isOver(ctx: Ctx, refreshToken: string): Promise<boolean> {
  const row = await findGivenToken(ctx, refreshToken)
  if (!row?.in_cookie || row.revoked_at !== null) return true
  const end = row.used_at === null ? Date.parse(row.expires_at) : Date.parse(row.used_at) + GRACE_MS
  return end <= ctx.clock.ms()
}

function findGivenToken(ctx: Ctx, refreshToken: string): Promise<FoundToken | undefined> {
  const hash = hashToken(refreshToken)
  return ctx.transaction(({ tx }) => findRefreshToken(tx, hash), { tenantId: null })
}

async function exchange(ctx: Ctx, row: FoundToken, refreshToken: string): Promise<Tokens | 'reused'> {
  const successor = await successorOf(ctx, row, refreshToken)
  if (successor === 'reused') return 'reused'
  const holder = await requireHolder(ctx, row)
  if (ctx.tenant !== row.scope_tenant_id) await enterOnce(ctx, holder)
  if (!successor.isNew) return issueTokens(ctx, holder, successor.refreshToken)
  const { lineage_id: lineageId, generation } = row
  const [tokens] = await Promise.all([
    issueTokens(ctx, holder, successor.refreshToken),
    addRefreshToken(ctx, holder, { refreshToken: successor.refreshToken, lineageId, generation: generation + 1 }),
    recordUse(ctx, holder),
  ])
  return tokens
}

/**
 * The first request that uses the token decides its successor; others wait for the row lock and read that successor. It
 * is sealed with the token as context, which the database does not store.
 */
async function successorOf(
  ctx: Ctx,
  { id, token_hash }: RefreshTokenRow,
  refreshToken: string,
): Promise<{ refreshToken: string; isNew: boolean } | 'reused'> {
  const { secrets } = ctx
  const context = `refresh_successor:${refreshToken}`
  const successor = randomToken()
  const spending = { used_at: ctx.clock.now(), successor_sealed: secrets.seal(successor, context) }
  if (await updateRefreshTokenUsed(ctx.tx, id, spending)) return { refreshToken: successor, isNew: true }
  const spent = await findRefreshToken(ctx.tx, token_hash)
  // It was not used, so it has expired.
  if (!spent?.used_at || !spent.successor_sealed) throw invalidRefreshToken()
  if (ctx.clock.ms() - Date.parse(spent.used_at) >= GRACE_MS) return 'reused'
  try {
    return { refreshToken: secrets.openText(spent.successor_sealed, context), isNew: false }
  } catch (cause) {
    // Sealed with a secret that is no longer configured: the successor cannot be read, so this token is of no use.
    throw invalidRefreshToken({ cause })
  }
}

/** The holder with the name that records show. */
type NamedHolder = Holder & { name: string }

/** Loads the session and checks it by the same rules as a sign-in. */
async function requireHolder(ctx: Ctx, row: FoundToken): Promise<NamedHolder> {
  const [session, admission] = await Promise.all([findSessionWithUser(ctx.tx, row.session_id), admit(ctx, row.user_id)])
  if (!session || session.revoked_at !== null || isAhead(ctx.clock, session.created_at)) throw sessionRevoked()
  if (session.status !== 'active') throw accountDisabled()
  if (admission === 'suspended') throw tenantSuspended()
  if (admission === 'not_member')
    throw ctx.tenant === row.scope_tenant_id ? sessionRevoked() : permissionDenied({ detail: NOT_YOURS })
  const { name, created_at } = session
  return {
    session: { id: row.session_id, user_id: row.user_id, created_at, in_cookie: row.in_cookie },
    admission,
    name,
  }
}

/** Records a session's first use in a tenant, as switching to the tenant does. */
async function enterOnce(ctx: Ctx, { session, name }: NamedHolder): Promise<void> {
  const known = await findTokenIn(ctx.tx, session.id, ctx.tenantId)
  if (!known) await recordSwitch(ctx.as(actorOf({ id: session.user_id, name })), session.id)
}

async function endReusedSession(ctx: Ctx, row: RefreshTokenRow): Promise<void> {
  const session = await findSessionWithUser(ctx.tx, row.session_id)
  if (!session || !(await updateSessionRevoked(ctx.tx, row.session_id, ctx.clock.now()))) return
  const about = { id: row.user_id, label: session.name, storeId: null }
  const person = ctx.as(actorOf({ id: row.user_id, name: session.name }))
  await person.emit(refreshTokenReplayed, { ...about, after: { session_id: row.session_id } })
  await ctx.forget({ sessionId: row.session_id })
}
