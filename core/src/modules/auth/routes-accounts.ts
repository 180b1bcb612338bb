import {
  defineRoute,
  notFound,
  permissionDenied,
  planLimitReached,
  subscriptionInactive,
  unauthenticated,
  unavailable,
} from '#kernel'
import { requireMail } from '../mail/index.ts'
import { alreadyMember, invalidToken, Member, tokenExpired } from '../members/index.ts'
import { registrationClosed, slugTaken, tenantSuspended } from '../tenants/index.ts'
import { emailTaken } from '../users/index.ts'
import { accountDisabled, alreadyBootstrapped, invalidCredentials, tooManyAttempts } from './errors.ts'
import { newPasswordIn } from './passwords/new-passwords.ts'
import { requestReset, resetPassword } from './recovery/reset-password.ts'
import { requestVerification, verifyEmail } from './recovery/verify-email.ts'
import {
  Acceptance,
  Bootstrap,
  ForgotPassword,
  NewPerson,
  Registration,
  ResetPassword,
  SignInAnswer,
  VerifyEmail,
} from './schema.ts'
import { answerTokens, sessionParts } from './sessions/session-mode.ts'
import { acceptInvitation } from './sign-in/accept-invitation.ts'
import { addPerson } from './sign-in/add-person.ts'
import { bootstrap } from './sign-in/bootstrap.ts'
import { register } from './sign-in/register.ts'

const ME = '/api/v1/users/me'

const registerAccount = defineRoute({
  method: 'POST',
  path: '/auth/register',
  summary: 'Open an account and found a tenant',
  description:
    'Person, tenant, its first store and the owner role are made together; the answer is that of a sign-in. Where registration is closed it is 403 `registration_closed`.',
  access: 'public',
  rateLimit: 'auth',
  transaction: 'manual',
  ...sessionParts,
  body: Registration,
  check: newPasswordIn('password', 'email', 'name', 'tenant_name'),
  response: { 201: SignInAnswer },
  errors: [emailTaken, slugTaken, registrationClosed, unavailable],
  location: () => ME,
  handler: (ctx, { body, headers }) => answerTokens(ctx, headers, (inCookie) => register(ctx, body, inCookie), 201),
})

const bootstrapInstallation = defineRoute({
  method: 'POST',
  path: '/auth/bootstrap',
  summary: 'Make the first super admin',
  description: 'Once, with the token that the first start has printed or that BOOTSTRAP_TOKEN gives.',
  access: 'public',
  rateLimit: 'auth',
  transaction: 'manual',
  ...sessionParts,
  // The bootstrap token and super admins belong to the installation, which only the system role can read and write.
  acrossTenants: true,
  body: Bootstrap,
  check: newPasswordIn('password', 'email', 'name'),
  response: { 201: SignInAnswer },
  errors: [invalidCredentials, alreadyBootstrapped, emailTaken, tooManyAttempts, unavailable],
  location: () => ME,
  handler: (ctx, { body, headers }) => answerTokens(ctx, headers, (inCookie) => bootstrap(ctx, body, inCookie), 201),
})

const acceptInvite = defineRoute({
  method: 'POST',
  path: '/auth/accept-invite',
  summary: 'Accept an invitation',
  description:
    'Who has no account yet gives a new password. Who has one proves it by its password, or by the access token of a session sent along, in the `X-Session-Mode` of that session. What the invitation gives is what its sender may give now; without anything left it is `invalid_token`.',
  access: 'public',
  rateLimit: 'auth',
  transaction: 'manual',
  ...sessionParts,
  body: Acceptance,
  response: { 200: SignInAnswer },
  errors: [
    invalidToken,
    tokenExpired,
    unauthenticated,
    invalidCredentials,
    accountDisabled,
    tenantSuspended,
    permissionDenied,
    tooManyAttempts,
    subscriptionInactive,
    planLimitReached,
    unavailable,
  ],
  handler: (ctx, { body, headers }) => answerTokens(ctx, headers, (inCookie) => acceptInvitation(ctx, body, inCookie)),
})

const forgotPassword = defineRoute({
  method: 'POST',
  path: '/auth/forgot-password',
  summary: 'Ask for a link to choose a new password',
  description:
    'The answer is the same whether or not the address has an account. Where the installation sends no mail (`MAIL=off`), 503.',
  access: 'public',
  rateLimit: 'auth',
  body: ForgotPassword,
  response: { 202: null },
  handler: async (ctx, { body }) => {
    await requestReset(ctx, body.email)
    return undefined
  },
})

const resetForgottenPassword = defineRoute({
  method: 'POST',
  path: '/auth/reset-password',
  summary: 'Choose a new password by the link of a mail',
  description: 'All sessions of the person end; sign in with the new password.',
  access: 'public',
  rateLimit: 'auth',
  transaction: 'manual',
  body: ResetPassword,
  check: newPasswordIn('password'),
  response: { 204: null },
  errors: [invalidToken, tokenExpired, unavailable],
  handler: async (ctx, { body }) => {
    await resetPassword(ctx, body)
    return undefined
  },
})

const verifyAddress = defineRoute({
  method: 'POST',
  path: '/auth/verify-email',
  summary: 'Prove an e-mail address by the link of a mail',
  access: 'public',
  rateLimit: 'auth',
  transaction: 'manual',
  body: VerifyEmail,
  response: { 204: null },
  errors: [invalidToken, tokenExpired],
  handler: async (ctx, { body }) => {
    await verifyEmail(ctx, body.token)
    return undefined
  },
})

const resendVerification = defineRoute({
  method: 'POST',
  path: '/auth/resend-verification',
  summary: 'Get the mail that proves your e-mail address again',
  description:
    'Nothing is sent when it is proven already, nor within two minutes of the last mail. Where the installation sends no mail (`MAIL=off`), 503.',
  access: 'self',
  response: { 202: null },
  handler: async (ctx) => {
    requireMail(ctx)
    await requestVerification(ctx, ctx.userId)
    return undefined
  },
})

const createPerson = defineRoute({
  method: 'POST',
  path: '/users',
  summary: 'Add a member',
  description:
    'With `password`, who is new gets an account at once. Without it, or when the address is known from elsewhere, the person is invited. Your own e-mail address must be confirmed: mail goes out. Where the installation sends none (`MAIL=off`), an invitation is 503.',
  access: { permission: 'user.create' },
  callers: 'people', // whoever is known is invited, and an invitation has a sender with a proven address
  limit: 'users',
  transaction: 'manual',
  body: NewPerson,
  // Checked for known and unknown addresses alike, so that the answer does not reveal whether an account exists.
  check: newPasswordIn('password', 'email', 'name'),
  response: { 201: Member },
  errors: [alreadyMember, emailTaken, notFound, unavailable],
  handler: (ctx, { body }) => addPerson(ctx, body),
})

export const accountRoutes = [
  acceptInvite,
  bootstrapInstallation,
  createPerson,
  forgotPassword,
  registerAccount,
  resendVerification,
  resetForgottenPassword,
  verifyAddress,
]
