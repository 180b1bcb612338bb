import { Closed, Email, Line, Nullable, type Static, Type, Uuid } from '#kernel'
import { newMemberFields } from '../members/index.ts'
import { Slug, Tenant } from '../tenants/index.ts'
import { User } from '../users/index.ts'

// No minimum where a password is only compared, and none of the new rules: those of its day applied to it.
const givenPassword = Type.String({ minLength: 1, maxLength: 1024, examples: ['correct horse battery staple'] })
const newPassword = Type.String({
  minLength: 1,
  maxLength: 1024,
  description: 'At least PASSWORD_MIN_LENGTH characters of any kind; not a common one, and not your name or address.',
  examples: ['correct horse battery staple'],
})
const name = Line(200, 'Ada Lovelace')
/** Tokens that travel in links and bodies: opaque text, bounded. */
const token = (example: string) => Type.String({ minLength: 1, maxLength: 4096, examples: [example] })
const linkToken = token('q6lV9jvJk0vD3n1uYyX7mE2cWq8hTzRr5sBvN4pLkAg')

const tokenFields = {
  access_token: Type.String({
    secret: true,
    description: 'JWT, type `at+jwt`; verify it with `/.well-known/jwks.json`',
  }),
  refresh_token: Type.Optional(
    Type.String({
      secret: true,
      description:
        'Opaque; good for one refresh. Always there, unless `X-Session-Mode: cookie` asked for it in a cookie',
    }),
  ),
  token_type: Type.Literal('Bearer'),
  expires_in: Type.Integer({ description: 'Seconds until the access token ends', examples: [600] }),
  tenant_id: Nullable(Uuid),
}

export const Tokens = Closed(tokenFields, { title: 'Tokens' })
export type Tokens = Static<typeof Tokens>

export const SignedIn = Closed({ user: User, tenant: Nullable(Tenant), ...tokenFields }, { title: 'SignedIn' })
export type SignedIn = Static<typeof SignedIn>

export const TwoFactorRequired = Closed(
  {
    two_factor_required: Type.Literal(true),
    challenge_token: Type.String({
      secret: true,
      description: 'Shows that the first factor was given; good for five minutes',
    }),
  },
  { title: 'TwoFactorRequired' },
)
export type TwoFactorRequired = Static<typeof TwoFactorRequired>

/** How every sign-in ends: with tokens, or with the question for the second factor. */
export const SignInAnswer = Type.Union([SignedIn, TwoFactorRequired], { title: 'SignInAnswer' })
export type SignInAnswer = Static<typeof SignInAnswer>

export const Registration = Closed({
  email: Email,
  password: newPassword,
  name,
  tenant_name: Line(200, 'Blue Bottle Coffee'),
  tenant_slug: Type.Optional(Slug),
})
export type Registration = Static<typeof Registration>

// Any text: what is no address belongs to no account, and that is all that is told.
const claimedEmail = Type.String({ minLength: 1, maxLength: 320, examples: ['ada@example.com'] })

export const Credentials = Closed({
  email: claimedEmail,
  password: givenPassword,
  tenant_id: Type.Optional(
    Type.String({
      format: 'uuid',
      description: 'Default: the tenant last used, else the oldest membership, else none',
    }),
  ),
})
export type Credentials = Static<typeof Credentials>

export const RefreshRequest = Closed({
  refresh_token: Type.Optional(linkToken),
  tenant_id: Type.Optional(
    Type.String({
      format: 'uuid',
      description:
        'With a session in a cookie, which all tabs share: the tenant that this tab acts in. Default: the one last asked for',
    }),
  ),
})
export type RefreshRequest = Static<typeof RefreshRequest>

export const Bootstrap = Closed({
  bootstrap_token: token('k3pQ0vF8m1'),
  email: Email,
  password: newPassword,
  name,
})
export type Bootstrap = Static<typeof Bootstrap>

export const ForgotPassword = Closed({ email: claimedEmail })

export const ResetPassword = Closed({ token: linkToken, password: newPassword })
export type ResetPassword = Static<typeof ResetPassword>

export const VerifyEmail = Closed({ token: linkToken })

export const Acceptance = Closed({
  token: token('0192a1b2c3d47e5f8a9b0c1d2e3f4a5b.q6lV9jvJk0vD3n1uYyX7mE2cWq8hTzRr5sBvN4pLkAg'),
  name: Type.Optional(name),
  password: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 1024,
      description: 'A new one for who has no account yet; the present one for who has. Not needed with a bearer token.',
      examples: ['correct horse battery staple'],
    }),
  ),
})
export type Acceptance = Static<typeof Acceptance>

export const SwitchTenant = Closed({ tenant_id: Type.String({ format: 'uuid' }) })

export const ChangePassword = Closed({ current_password: givenPassword, new_password: newPassword })
export type ChangePassword = Static<typeof ChangePassword>

export const Jwks = Closed(
  {
    keys: Type.Array(
      Closed({
        kty: Type.Literal('OKP'),
        crv: Type.Literal('Ed25519'),
        x: Type.String(),
        kid: Type.String(),
        use: Type.Literal('sig'),
        alg: Type.Literal('EdDSA'),
      }),
    ),
  },
  { title: 'Jwks', description: 'RFC 7517' },
)
export type Jwks = Static<typeof Jwks>

export const NewPerson = Closed({
  ...newMemberFields,
  name,
  password: Type.Optional(newPassword),
})
