import { defineError } from '#kernel'

export const invalidCredentials = defineError('invalid_credentials', 401, 'E-mail or password is wrong')
export const accessTokenExpired = defineError('access_token_expired', 401, 'The access token has expired')
export const invalidRefreshToken = defineError('invalid_refresh_token', 401, 'The refresh token is not valid')
export const refreshTokenReused = defineError(
  'refresh_token_reused',
  401,
  'The refresh token was used before; sign in again',
)
export const sessionRevoked = defineError('session_revoked', 401, 'The session has ended; sign in again')
export const accountDisabled = defineError('account_disabled', 403, 'The account is disabled')
export const alreadyBootstrapped = defineError('already_bootstrapped', 409, 'The first super admin exists already')
export const tooManyAttempts = defineError('too_many_attempts', 429, 'Too many failed attempts; wait a little')
