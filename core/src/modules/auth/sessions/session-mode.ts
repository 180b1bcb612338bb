import {
  Answer,
  AppError,
  at,
  Closed,
  type Config,
  type Cookie,
  type Ctx,
  invalidRequest,
  OneOf,
  requireOwnPage,
  Type,
  writeCookie,
} from '#kernel'
import { invalidRefreshToken } from '../errors.ts'
import type { RefreshRequest, SignInAnswer, Tokens } from '../schema.ts'
import { isOver } from './refresh.ts'

/**
 * A refresh token is sent in bodies or, with `X-Session-Mode: cookie`, in a cookie that scripts cannot read. Forms of
 * other sites cannot send the header; the origin of the page is checked as well.
 */
const mode = OneOf(['cookie'], {
  description:
    'The refresh token stays out of the answer and travels in a cookie, which is `HttpOnly` and `SameSite=Strict` and counts at `/auth/refresh` alone. For pages under PUBLIC_URL, and of CORS_ORIGINS on the same site. Left out: it is in the answer.',
})

/** Declared by every route that issues tokens or ends sessions: tokens may be asked for in a cookie. */
export const sessionParts = {
  headers: Type.Object({ 'x-session-mode': Type.Optional(mode) }),
  cookies: Closed({}),
} as const // goes into routes as it is

type Mode = { 'x-session-mode'?: 'cookie' }

const SECURE_NAME = '__Host-session_refresh'
/** Used where PUBLIC_URL is http, for development. */
const PLAIN_NAME = 'session_refresh'
const REFRESH_PATH = '/api/v1/auth/refresh'
const value = Type.Optional(
  Type.String({
    minLength: 1,
    maxLength: 4096,
    secret: true,
    description: 'The refresh token, where PUBLIC_URL is https',
  }),
)
const plainValue = Type.Optional(
  Type.String({
    minLength: 1,
    maxLength: 4096,
    secret: true,
    description: 'The refresh token, where PUBLIC_URL is http',
  }),
)

/** The cookies that the refresh route reads. */
export const RefreshCookies = Closed({ [SECURE_NAME]: value, [PLAIN_NAME]: plainValue })

/**
 * Answers with tokens as the request asks: all in the body, or the refresh token in a cookie. For a page that may not
 * have a cookie it throws 403 `origin_not_allowed` before `work` runs.
 */
export async function answerTokens<T extends SignInAnswer | Tokens>(
  ctx: Ctx,
  { 'x-session-mode': mode }: Mode,
  work: (inCookie: boolean) => Promise<T>,
  status = 200,
): Promise<T | Answer<T>> {
  if (mode !== 'cookie') return work(false)
  requireOwnPage(ctx)
  const answer = await work(true)
  // There are no tokens yet: a second factor is required.
  if (!('refresh_token' in answer) || answer.refresh_token === undefined) return answer
  const { refresh_token, ...rest } = answer
  const maxAgeSeconds = ctx.config.tokens.refreshTtlSeconds
  return new Answer(status, rest as T, {}, [{ ...refreshCookie(ctx), value: refresh_token, maxAgeSeconds }]) // its refresh token may be left out
}

/** Answers a sign-out; in cookie mode it also clears the cookie. */
export async function answerSignOut(
  ctx: Ctx,
  { 'x-session-mode': mode }: Mode,
  work: () => Promise<void>,
): Promise<Answer<undefined> | undefined> {
  if (mode === 'cookie') requireOwnPage(ctx)
  await work()
  return mode === 'cookie' ? new Answer(204, undefined, {}, [{ ...refreshCookie(ctx), value: null }]) : undefined
}

/**
 * Clears the cookie when a request fails because the session in it has ended; the browser would send it for as long as
 * it lives otherwise. A refusal by one tenant keeps the cookie: it serves the others.
 */
export async function clearCookieIfOver<T>(ctx: Ctx, refreshToken: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (thrown) {
    if (!(thrown instanceof AppError) || thrown.status !== 401 || !(await isOver(ctx, refreshToken))) throw thrown
    const { kind, details } = thrown
    const forgotten = writeCookie({ ...refreshCookie(ctx), value: null }, isSecure(ctx.config.http))
    throw kind({ ...details, headers: { ...details.headers, 'set-cookie': forgotten } })
  }
}

/**
 * The refresh token of a request, from its body or its cookie. Throws 400 when both or the wrong one is given, 401
 * without any.
 */
export function refreshTokenIn(
  { config }: Ctx,
  { 'x-session-mode': mode }: Mode,
  { refresh_token, tenant_id }: RefreshRequest,
  cookies: { [SECURE_NAME]?: string; [PLAIN_NAME]?: string },
): string {
  const cookie = cookies[nameFor(config.http)]
  const isCookieMode = mode === 'cookie'
  const refuse = (...errors: { pointer: string; detail: string }[]) => invalidRequest({ errors })
  if (refresh_token !== undefined && (isCookieMode || cookie !== undefined))
    throw refuse(at('refresh_token', 'is in the body and in a cookie: send one of them'))
  if (isCookieMode) {
    if (cookie === undefined) throw invalidRefreshToken({ detail: 'There is no session in a cookie' })
    return cookie
  }
  if (cookie !== undefined)
    throw refuse({ pointer: 'headers/x-session-mode', detail: 'must say cookie where the session is in one' })
  if (refresh_token === undefined) throw refuse(at('refresh_token', 'is required'))
  if (tenant_id !== undefined) throw refuse(at('tenant_id', 'goes with a session in a cookie; switch tenants instead'))
  return refresh_token
}

function refreshCookie({ config }: Ctx): Omit<Cookie, 'value'> {
  const { http } = config
  // The path as the browser sees it: the server may be below a path of a proxy.
  const path = `${new URL(http.publicUrl).pathname.replace(/\/$/, '')}${REFRESH_PATH}`
  return { name: nameFor(http), path: isSecure(http) ? '/' : path, sameSite: 'strict' }
}

/**
 * A browser accepts a `__Host-` cookie only from this host and over https: no other host of the same site and nobody on
 * an insecure connection can have set it. It requires the path `/`, so the cookie goes to all paths of the host.
 */
const nameFor = (http: Config['http']) => (isSecure(http) ? SECURE_NAME : PLAIN_NAME)
const isSecure = ({ publicUrl }: Config['http']) => publicUrl.startsWith('https:')
