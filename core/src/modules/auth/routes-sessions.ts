import { Answer, defineRoute, permissionDenied, unavailable } from '#kernel'
import { tenantSuspended } from '../tenants/index.ts'
import {
  accountDisabled,
  invalidCredentials,
  invalidRefreshToken,
  refreshTokenReused,
  sessionRevoked,
  tooManyAttempts,
} from './errors.ts'
import { changePassword } from './passwords/change-password.ts'
import { newPasswordIn } from './passwords/new-passwords.ts'
import { ChangePassword, Credentials, Jwks, RefreshRequest, SignInAnswer, SwitchTenant, Tokens } from './schema.ts'
import { refresh } from './sessions/refresh.ts'
import {
  answerSignOut,
  answerTokens,
  clearCookieIfOver,
  RefreshCookies,
  refreshTokenIn,
  sessionParts,
} from './sessions/session-mode.ts'
import { signOut, signOutEverywhere } from './sessions/sign-out.ts'
import { switchTenant } from './sessions/switch-tenant.ts'
import { signIn } from './sign-in/sign-in.ts'
import { keyRing } from './tokens/key-ring.ts'
import { JWKS_MAX_AGE_SECONDS } from './tokens/key-rotation.ts'
import { ALGORITHM } from './tokens/signing-keys.ts'

const NO_KEY = 'Takes no `Idempotency-Key`: what happens hangs on the session that asks.'

const login = defineRoute({
  method: 'POST',
  path: '/auth/login',
  summary: 'Sign in by password',
  description:
    'Answers with tokens, or asks for the second factor. A wrong password, an unknown address and an account without a password are told apart neither by the answer nor by its time. Failures count for an account and a place together (an IPv4 address, an IPv6 /64): after ten in 15 minutes that place is stopped at that account, after a hundred at all accounts (429 `too_many_attempts`). From all places together 20 failures are free, and then one after a growing pause. A device that has signed in before and a live session count for themselves, and are stopped by their own failures only.',
  access: 'public',
  rateLimit: 'auth',
  transaction: 'manual',
  ...sessionParts,
  body: Credentials,
  response: { 200: SignInAnswer },
  errors: [invalidCredentials, accountDisabled, permissionDenied, tenantSuspended, tooManyAttempts, unavailable],
  handler: (ctx, { body, headers }) => answerTokens(ctx, headers, (inCookie) => signIn(ctx, body, inCookie)),
})

const refreshTokens = defineRoute({
  method: 'POST',
  path: '/auth/refresh',
  name: 'refreshTokens',
  summary: 'Exchange a refresh token for new tokens',
  description:
    'Each refresh token is good for one exchange. For 30 seconds after it, the same token is answered with the same successor; later reuse ends the session. The token is in the body; or, with `X-Session-Mode: cookie`, in the cookie that a sign-in in that mode has set, never in both; each is taken only where it was given. Where the session in a cookie is over, the answer lets the browser forget it.',
  access: 'public',
  transaction: 'manual',
  headers: sessionParts.headers,
  cookies: RefreshCookies,
  body: RefreshRequest,
  response: { 200: Tokens },
  errors: [invalidRefreshToken, refreshTokenReused, sessionRevoked, accountDisabled, tenantSuspended, permissionDenied],
  handler: (ctx, { body, headers, cookies }) =>
    answerTokens(ctx, headers, (inCookie) => {
      const refreshToken = refreshTokenIn(ctx, headers, body, cookies)
      const exchange = () => refresh(ctx, { refreshToken, inCookie, wanted: body.tenant_id })
      return inCookie ? clearCookieIfOver(ctx, refreshToken, exchange) : exchange()
    }),
})

const switchTenants = defineRoute({
  method: 'POST',
  path: '/auth/switch-tenant',
  summary: 'Get tokens for another of your tenants',
  description:
    'In the same session, and in its way: `X-Session-Mode` is 400 unless it says where the session keeps its tokens. Tokens for other tenants go on working. Takes no `Idempotency-Key`: an answer with tokens is not kept.',
  access: 'self',
  transaction: 'manual',
  entersTenants: true,
  ...sessionParts,
  body: SwitchTenant,
  response: { 200: Tokens },
  errors: [permissionDenied, tenantSuspended, sessionRevoked],
  handler: (ctx, { body, headers }) =>
    answerTokens(ctx, headers, (inCookie) => switchTenant(ctx, body.tenant_id.toLowerCase(), inCookie)),
})

const logout = defineRoute({
  method: 'POST',
  path: '/auth/logout',
  summary: 'End this session',
  description: NO_KEY,
  access: 'self',
  idempotent: false,
  impersonation: 'always',
  ...sessionParts,
  response: { 204: null },
  handler: (ctx, { headers }) => answerSignOut(ctx, headers, () => signOut(ctx)),
})

const logoutAll = defineRoute({
  method: 'POST',
  path: '/auth/logout-all',
  summary: 'End all of your sessions',
  description: NO_KEY,
  access: 'self',
  idempotent: false,
  ...sessionParts,
  response: { 204: null },
  handler: (ctx, { headers }) => answerSignOut(ctx, headers, () => signOutEverywhere(ctx)),
})

const changeOwnPassword = defineRoute({
  method: 'POST',
  path: '/auth/change-password',
  summary: 'Change your password',
  description: `Your other sessions end. ${NO_KEY}`,
  access: 'self',
  idempotent: false,
  transaction: 'manual',
  body: ChangePassword,
  check: newPasswordIn('new_password'),
  response: { 204: null },
  errors: [invalidCredentials, tooManyAttempts, unavailable],
  handler: async (ctx, { body }) => {
    await changePassword(ctx, body)
    return undefined
  },
})

const jwks = defineRoute({
  method: 'GET',
  path: '/.well-known/jwks.json',
  root: true,
  name: 'getJwks',
  summary: 'Public keys that access tokens are verified with',
  access: 'public',
  transaction: 'manual',
  response: { 200: Jwks },
  handler: async (ctx) => {
    const published = await ctx.use(keyRing).published()
    const keys = published.map(({ id, publicJwk }) => ({ ...publicJwk, kid: id, use: 'sig' as const, alg: ALGORITHM }))
    return new Answer(200, { keys }, { 'cache-control': `public, max-age=${JWKS_MAX_AGE_SECONDS}` })
  },
})

export const sessionRoutes = [changeOwnPassword, jwks, login, logout, logoutAll, refreshTokens, switchTenants]
