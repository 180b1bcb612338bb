import Type from 'typebox'
import { defineEvent } from '#kernel'

const closed = { additionalProperties: false }
const SignIn = Type.Object(
  {
    method: Type.String({ description: 'How the person proved themselves', examples: ['password'] }),
    session_id: Type.String({ format: 'uuid' }),
  },
  closed,
)
const Failure = Type.Object({ reason: Type.String({ examples: ['wrong_password'] }) }, closed)
const Ending = Type.Object(
  { session_id: Type.String({ format: 'uuid' }), all: Type.Boolean({ description: 'Every session of the person' }) },
  closed,
)
const Nothing = Type.Object({}, closed)

const about = { resource: 'user' }

export const signedIn = defineEvent('auth.login', { description: 'A person signed in', data: SignIn, ...about })
export const signInFailed = defineEvent('auth.login_failed', {
  description: 'An attempt to sign in failed',
  data: Failure,
  ...about,
})
export const signedOut = defineEvent('auth.logout', { description: 'A person signed out', data: Ending, ...about })
export const passwordChanged = defineEvent('auth.password_changed', {
  description: 'A person changed their password; their other sessions ended',
  data: Nothing,
  ...about,
})
export const passwordReset = defineEvent('auth.password_reset', {
  description: 'A person set a new password by a link in a mail; all their sessions ended',
  data: Nothing,
  ...about,
})
export const refreshTokenReplayed = defineEvent('auth.refresh_token_reused', {
  description: 'A spent refresh token was presented again: it may have been stolen, so its session was ended',
  data: Type.Object({ session_id: Type.String({ format: 'uuid' }) }, closed),
  ...about,
})
export const imported = defineEvent('auth.imported', {
  description: 'A person was added from another application, to no tenant',
  data: Type.Object({ has_password: Type.Boolean({ description: 'Whether their password came with them' }) }, closed),
  ...about,
})
export const bootstrapped = defineEvent('auth.bootstrapped', {
  description: 'The first super admin was made',
  data: Nothing,
  ...about,
})
