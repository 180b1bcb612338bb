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

/** Two tabs, a lost answer: for this long after its first use a token is answered with the same successor. */
const GRACE_MS = 30 * SECONDS

/** A refresh token as it came: in a cookie or in a body. */
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
  // Taken where it was given alone: what a script could read it was not to have, and what it could plant is not taken.
  if (row?.in_cookie !== inCookie) throw invalidRefreshToken()
  const tenantId = wanted?.toLowerCase() ?? row.scope_tenant_id
  const tokens = await ctx.transaction((ctx) => exchange(ctx, row, refreshToken), { tenantId })
  if (tokens !== 'reused') return tokens
  // Where the token belongs, not where its bearer says: nobody has asked yet whether they may write there.
  await ctx.transaction((ctx) => endReusedSession(ctx, row), { tenantId: row.scope_tenant_id })
  throw refreshTokenReused()
}

/** Whether a refresh token in a cookie is good for nothing any more, in whatever tenant; a refusal may be of one alone. */
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
 * Whoever spends the token first decides on its successor; everybody else waits for that at the row and reads it there.
 * It is sealed in the name of the token itself, which the database does not know.
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
  // Not spent and yet not to be had: it has expired.
  if (!spent?.used_at || !spent.successor_sealed) throw invalidRefreshToken()
  if (ctx.clock.ms() - Date.parse(spent.used_at) >= GRACE_MS) return 'reused'
  try {
    return { refreshToken: secrets.openText(spent.successor_sealed, context), isNew: false }
  } catch (cause) {
    // Sealed with a secret that is gone: the successor is lost, and with it whatever this one was good for.
    throw invalidRefreshToken({ cause })
  }
}

/** The holder, and what the record calls them. */
type NamedHolder = Holder & { name: string }

/** The session as it stands now, by the same rules as at the sign-in. */
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

/** A session that comes into a tenant for the first time is recorded there, as when it had switched. */
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
