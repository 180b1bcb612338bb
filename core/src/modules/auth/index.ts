import { DAYS, defineModule, type Route } from '#kernel'
import { mail } from '../mail/index.ts'
import { members } from '../members/index.ts'
import { roles } from '../roles/index.ts'
import { tenants } from '../tenants/index.ts'
import { users } from '../users/index.ts'
import * as events from './events.ts'
import { authMails } from './mails.ts'
import { authNotices } from './notifications.ts'
import { passwordHasher } from './passwords/hash.ts'
import { deleteTokensFor } from './queries.ts'
import { sendReset, sendVerification } from './recovery/links.ts'
import { limitedSignIns, noteLimited } from './refusals/limited.ts'
import { accountRoutes } from './routes-accounts.ts'
import { sessionRoutes } from './routes-sessions.ts'
import { deleteImpersonationsIn } from './sessions/impersonation-queries.ts'
import { authSettings } from './settings.ts'
import { ensureBootstrapToken, requireBootstrapSetting } from './sign-in/bootstrap.ts'
import { accountSupport } from './support/account.ts'
import { signInsSupport } from './support/sign-ins.ts'
import { provenTokens } from './tokens/access-tokens.ts'
import { sessionAuthenticator } from './tokens/authenticator.ts'
import { keyRing } from './tokens/key-ring.ts'
import { sealedSigningKeys } from './tokens/sealed-keys.ts'
import { rotateKeys, sweep } from './upkeep.ts'

export * from './errors.ts'
export * from './events.ts'
export { ENTRY_FIELDS, type Entry, readEntry } from './import/entry.ts'
export { type Imported, type Importer, type ImportOptions, openImporter } from './import/import-people.ts'
export { NoSuchPlace } from './import/places.ts'
export {
  emailTakenMail,
  newSignInMail,
  passwordChangedMail,
  resetPasswordMail,
  signInAttemptsMail,
  verifyEmailMail,
} from './mails.ts'
export { hashPasswordsCheaply, passwordHasher, verifyPassword } from './passwords/hash.ts'
export { findAccountByEmail, findAccountById, listWithPassword } from './queries.ts'
export { requestReset } from './recovery/reset-password.ts'
export { SignedIn, SignInAnswer, Tokens, TwoFactorRequired } from './schema.ts'
export {
  findInterruption,
  type Impersonation,
  INTERRUPTIONS,
  type Interruption,
  openImpersonation,
} from './sessions/impersonation.ts'
export { countOpenSessions, findSession } from './sessions/session-queries.ts'
export { endSessions, signOutEverywhere } from './sessions/sign-out.ts'
export { supportAccess, supportAccessIn, supportAccessUntil } from './sessions/support-access.ts'
export { requireTwoFactor, sessionMaxAgeHours, twoFactorGraceDays } from './settings.ts'
export { addPerson } from './sign-in/add-person.ts'
export { actorOf, completeSignIn, type ProvenSignIn } from './sign-in/complete-sign-in.ts'
export {
  type Attempt,
  attemptInSession,
  attemptOn,
  type CountedFailure,
  clearFailures,
  countFailure,
  findLockedUntil,
  requireNotLocked,
} from './sign-in/lockout.ts'
export { closeBootstrap, openAccount } from './sign-in/open-account.ts'
export { register } from './sign-in/register.ts'
export { provePassword, recordFailure } from './sign-in/sign-in.ts'
export type { SessionRow } from './table.ts'
export { type Challenge, verifyChallenge } from './tokens/access-tokens.ts'
export { keyRing } from './tokens/key-ring.ts'
export { rotateSigningKey } from './tokens/key-rotation.ts'

/** Routes under `/auth/` are public and take short bodies. */
const AUTH_BODY_BYTES = 16 * 1024

const bounded = (route: Route): Route =>
  route.body && route.path.startsWith('/auth/') ? Object.freeze({ ...route, bodyLimit: AUTH_BODY_BYTES }) : route

/** Who is calling: passwords, sessions, tokens, and the ways in. */
export const auth = defineModule({
  name: 'auth',
  description: 'Accounts, passwords and sessions: signing in, staying signed in, signing out.',
  dependsOn: [users, tenants, roles, mail, members],
  migrations: new URL('./migrations/', import.meta.url),
  messages: new URL('./messages/', import.meta.url),
  events: Object.values(events),
  routes: [...accountRoutes, ...sessionRoutes].map(bounded),
  jobs: [sendVerification, sendReset],
  schedules: [rotateKeys, sweep],
  mails: authMails,
  notifications: authNotices,
  resources: [keyRing, provenTokens, passwordHasher, limitedSignIns],
  answered: noteLimited,
  support: [accountSupport, signInsSupport],
  settings: authSettings,
  sealed: [sealedSigningKeys],
  holdings: [
    { table: 'refresh_tokens', columns: ['scope_tenant_id'], remove: deleteTokensFor },
    { table: 'sessions', columns: ['scope_tenant_id'], remove: deleteImpersonationsIn },
  ],
  // Failure windows and mailed links last a day at most.
  moments: [
    { table: 'login_failures', column: 'window_ends_at', aheadMs: 1 * DAYS },
    { table: 'user_tokens', column: 'expires_at', aheadMs: 1 * DAYS },
  ],
  authenticators: [sessionAuthenticator],
  mayServe: requireBootstrapSetting,
  welcome: async (core) => {
    const token = await ensureBootstrapToken(core)
    return token === null
      ? []
      : [['Bootstrap token', `${token} (shown this once: POST /api/v1/auth/bootstrap makes the first super admin)`]]
  },
  cases: () => import('./auth.cases.ts'),
})
