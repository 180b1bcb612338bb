import { type Core, type Ctx, defineResource, invalidAccessToken, isUuid, SECONDS } from '#kernel'
import { invalidToken, tokenExpired } from '../../members/index.ts'
import { accessTokenExpired } from '../errors.ts'
import { keyRing } from './key-ring.ts'
import { ALGORITHM, type Claims, type RingKey } from './signing-keys.ts'

/** Who an access token speaks for. */
export interface AccessClaims {
  sub: string
  sid: string
  tid: string | null
  /** Who really acts (RFC 8693), and in which session of theirs it was begun; absent: `sub` themselves. */
  act?: { sub: string; sid: string }
}

/** Of a token that proved itself, with its end in seconds since the epoch. */
export interface ProvenClaims extends AccessClaims {
  exp: number
}

/** What stands between a first and a second factor: who gave the first one, and where they want to go. */
export interface Challenge {
  sub: string
  /** How the first factor was given: `password`, `invitation`… */
  method: string
  /** The tenant asked for; null: whichever the sign-in chooses. */
  tid: string | null
}

/** How long a person may take over their second factor. */
export const CHALLENGE_TTL_SECONDS = 300

/** How long an operator may act as somebody else. */
export const IMPERSONATION_SECONDS = 15 * 60

/** RFC 9068; the type keeps every other token that the same keys sign from being taken for one. */
const ACCESS_TYPE = 'at+jwt'
const CHALLENGE_TYPE = 'tfc+jwt'

/**
 * A signed access token, good until `notAfter` (milliseconds) and no longer than `ttlSeconds`, by default the configured
 * life. `iss` and `aud` are both PUBLIC_URL.
 */
export async function signAccessToken(
  ctx: Ctx,
  claims: AccessClaims,
  notAfter: number,
  ttlSeconds = ctx.config.tokens.accessTtlSeconds,
): Promise<{ accessToken: string; expiresIn: number }> {
  const now = Math.floor(ctx.clock.ms() / SECONDS)
  const exp = Math.min(now + ttlSeconds, Math.floor(notAfter / SECONDS))
  return { accessToken: await sign(ctx, ACCESS_TYPE, { ...claims }, now, exp), expiresIn: exp - now }
}

/** An access token that proved itself. */
export interface ProvenToken {
  claims: ProvenClaims
  keyId: string
}

/**
 * The access tokens that proved themselves lately: most requests bring one that was proven a moment ago, and reading its
 * header alone costs more than finding it here. What is still true of it is asked each time.
 */
export const provenTokens = defineResource<Map<string, ProvenToken>>({
  name: 'auth.proven_tokens',
  create: () => new Map(),
})

const PROVEN_TOKENS_KEPT = 10_000

/** Proves an access token by itself. Throws 401 `access_token_expired` or `invalid_access_token`. */
export function verifyAccessToken(core: Core, token: string): ProvenClaims | Promise<ProvenClaims> {
  const proven = core.use(provenTokens)
  const known = proven.get(token)
  const key = known ? core.use(keyRing).find(known.keyId) : keyOf(core, token)
  if (key instanceof Promise) return key.then((found) => claimsWorth(core, prove(core, found, token)))
  if (known && key) return claimsWorth(core, known)
  const fresh = prove(core, key, token)
  if (proven.size >= PROVEN_TOKENS_KEPT) proven.delete(proven.keys().next().value ?? '')
  proven.set(token, fresh)
  return claimsWorth(core, fresh)
}

function claimsWorth(core: Core, { claims }: ProvenToken): ProvenClaims {
  if (isOver(core, claims.exp)) throw accessTokenExpired()
  return claims
}

function prove(core: Core, key: RingKey | undefined, token: string): ProvenToken {
  const { sub, sid, tid, exp, act } = claimsOf(core, key, ACCESS_TYPE, token) ?? {}
  if (!key || !isUuid(sub) || !isUuid(sid) || !(tid === null || isUuid(tid)) || typeof exp !== 'number')
    throw invalidAccessToken()
  // One that says anything of somebody else is never taken for the person's own.
  if (act === undefined) return { claims: { sub, sid, tid, exp }, keyId: key.id }
  if (!isActing(act) || tid === null) throw invalidAccessToken()
  return { claims: { sub, sid, tid, exp, act: { sub: act.sub, sid: act.sid } }, keyId: key.id }
}

const isActing = (act: unknown): act is { sub: string; sid: string } =>
  typeof act === 'object' && act !== null && 'sub' in act && 'sid' in act && isUuid(act.sub) && isUuid(act.sid)

/** A token that says a first factor was given and the second is due. Worth nothing by itself, for five minutes. */
export async function signChallenge(ctx: Ctx, challenge: Challenge): Promise<string> {
  const now = Math.floor(ctx.clock.ms() / SECONDS)
  return sign(ctx, CHALLENGE_TYPE, { ...challenge }, now, now + CHALLENGE_TTL_SECONDS)
}

/** Proves a challenge token. Throws 400 `invalid_token` or `token_expired`. */
export async function verifyChallenge(core: Core, token: string): Promise<Challenge> {
  const { sub, method, tid, exp } = claimsOf(core, await keyOf(core, token), CHALLENGE_TYPE, token) ?? {}
  if (!isUuid(sub) || typeof method !== 'string' || !(tid === null || isUuid(tid)) || typeof exp !== 'number')
    throw invalidToken()
  if (isOver(core, exp)) throw tokenExpired()
  return { sub, method, tid }
}

async function sign(ctx: Ctx, typ: string, claims: Claims, iat: number, exp: number): Promise<string> {
  const { publicUrl } = ctx.config.http
  const key = await ctx.use(keyRing).signing()
  return key.sign(typ, { ...claims, iss: publicUrl, aud: publicUrl, iat, exp })
}

/** The claims of a token that is ours in every respect but its times; undefined for anything else. */
function claimsOf(core: Core, key: RingKey | undefined, typ: string, token: string): Claims | undefined {
  if (!key || !isCanonical(token)) return undefined
  try {
    const claims = key.verify(typ, token)
    const { publicUrl } = core.config.http
    return claims.iss === publicUrl && claims.aud === publicUrl ? claims : undefined
  } catch {
    return undefined
  }
}

/** The key that a token's header names, if the header is one of ours at all. */
function keyOf(core: Core, token: string): RingKey | undefined | Promise<RingKey | undefined> {
  const header = headerOf(token)
  // The key's own verifier checks the algorithm again; a foreign one shall not even cause a look-up of its key.
  if (header?.alg !== ALGORITHM || !isUuid(header.kid)) return undefined
  return core.use(keyRing).find(header.kid)
}

function headerOf(token: string): Claims | undefined {
  try {
    const header: unknown = JSON.parse(Buffer.from(token.slice(0, token.indexOf('.')), 'base64url').toString())
    // Any object can be read by name.
    return typeof header === 'object' && header !== null ? (header as Claims) : undefined
  } catch {
    return undefined
  }
}

// 64 bytes leave four bits of the last character unused: of the sixteen spellings of a signature one is accepted.
const isCanonical = (token: string) => 'AQgw'.includes(token.charAt(token.length - 1))

const isOver = (core: Core, exp: number) => exp * SECONDS <= core.clock.ms()
