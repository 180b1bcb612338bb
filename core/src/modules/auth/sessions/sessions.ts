import { type Ctx, hashToken, momentAt, newId, randomToken, SECONDS } from '#kernel'
import { sessionRevoked } from '../errors.ts'
import type { Tokens } from '../schema.ts'
import { deviceName } from '../sign-in/devices.ts'
import type { SessionRow } from '../table.ts'
import { signAccessToken } from '../tokens/access-tokens.ts'
import type { Admission } from './admission.ts'
import { insertRefreshToken, insertSession, updateSessionUsed } from './session-queries.ts'

/** The session that tokens are issued for, and the tenant it acts in. */
export interface Holder {
  session: Pick<SessionRow, 'id' | 'user_id' | 'created_at' | 'in_cookie'>
  admission: Admission
}

/** Opens a session for an admitted person and issues its first tokens. */
export async function openSession(
  ctx: Ctx,
  { userId, admission, inCookie }: { userId: string; admission: Admission; inCookie: boolean },
): Promise<Tokens & { sessionId: string }> {
  const { origin, tx } = ctx
  const now = ctx.clock.now()
  const session = { id: newId(), user_id: userId, created_at: now, in_cookie: inCookie }
  const inserted = insertSession(tx, {
    ...session,
    last_active_at: now,
    expires_at: unusedUntil(ctx, { session, admission }),
    revoked_at: null,
    ip_address: origin.ipAddress,
    user_agent: origin.userAgent,
    device: deviceName(origin.userAgent),
  })
  const [tokens] = await Promise.all([startLineage(ctx, { session, admission }), inserted])
  return { ...tokens, sessionId: session.id }
}

/** Issues tokens for another tenant in an existing session; its tokens for other tenants stay valid. */
export async function joinSession(ctx: Ctx, holder: Holder): Promise<Tokens> {
  const [tokens] = await Promise.all([startLineage(ctx, holder), recordUse(ctx, holder)])
  return tokens
}

async function startLineage(ctx: Ctx, holder: Holder): Promise<Tokens> {
  const refreshToken = randomToken()
  const [tokens] = await Promise.all([
    issueTokens(ctx, holder, refreshToken),
    addRefreshToken(ctx, holder, { refreshToken, lineageId: newId(), generation: 1 }),
  ])
  return tokens
}

/** Stores a refresh token of a lineage: the tokens that follow each other by refreshing. */
export async function addRefreshToken(
  ctx: Ctx,
  holder: Holder,
  { refreshToken, lineageId, generation }: { refreshToken: string; lineageId: string; generation: number },
): Promise<void> {
  await insertRefreshToken(ctx.tx, {
    id: newId(),
    session_id: holder.session.id,
    user_id: holder.session.user_id,
    scope_tenant_id: holder.admission.tenant?.id ?? null,
    lineage_id: lineageId,
    generation,
    token_hash: hashToken(refreshToken),
    created_at: ctx.clock.now(),
    expires_at: unusedUntil(ctx, holder),
    used_at: null,
    successor_sealed: null,
  })
}

/** Issues a new access token and returns it with the given refresh token. */
export async function issueTokens(ctx: Ctx, holder: Holder, refreshToken: string): Promise<Tokens> {
  const { session, admission } = holder
  const tid = admission.tenant?.id ?? null
  const { accessToken, expiresIn } = await signAccessToken(
    ctx,
    { sub: session.user_id, sid: session.id, tid },
    endOf(ctx, holder),
  )
  return {
    access_token: accessToken,
    refresh_token: refreshToken,
    token_type: 'Bearer',
    expires_in: expiresIn,
    tenant_id: tid,
  }
}

/** Records that a session was used, which moves its end. */
export async function recordUse(ctx: Ctx, holder: Holder): Promise<void> {
  const expires_at = unusedUntil(ctx, holder)
  await updateSessionUsed(ctx.tx, holder.session.id, { last_active_at: ctx.clock.now(), expires_at })
}

/**
 * Until when a session and its newest refresh token live if unused. One cookie serves all tenants of a person: the
 * maximum age set by one tenant is checked there at each refresh and does not end the session for the others.
 */
function unusedUntil(ctx: Ctx, holder: Holder): string {
  const end = holder.session.in_cookie ? ctx.clock.ms() + refreshTtlMs(ctx) : endOf(ctx, holder)
  return momentAt(end)
}

/**
 * The latest end of tokens issued now, in milliseconds: REFRESH_TOKEN_TTL after the last use, or the maximum age that
 * the tenant allows a session. Throws 401 `session_revoked` when that age is reached.
 */
function endOf(ctx: Ctx, { session, admission }: Holder): number {
  const oldest = Date.parse(session.created_at) + admission.maxAgeMs
  if (oldest <= ctx.clock.ms()) throw sessionRevoked({ detail: 'The session has reached the age at which it ends' })
  return Math.min(oldest, ctx.clock.ms() + refreshTtlMs(ctx))
}

const refreshTtlMs = ({ config }: Ctx) => config.tokens.refreshTtlSeconds * SECONDS
