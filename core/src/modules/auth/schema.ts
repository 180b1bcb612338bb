import { Closed, Described, Email, Line, Nullable, type Static, Type, Uuid } from '#kernel'
import { newMemberFields } from '../members/index.ts'
import { Slug, Tenant } from '../tenants/index.ts'
import { User } from '../users/index.ts'

// A password that is only compared has no minimum length: it may be older than the rules for new ones.
const givenPassword = Type.String({
  minLength: 1,
  maxLength: 1024,
  description: 'The password as it is now',
  examples: ['correct horse battery staple'],
})
const newPassword = Type.String({
  minLength: 1,
  maxLength: 1024,
  description: 'At least PASSWORD_MIN_LENGTH characters of any kind; not a common one, and not your name or address.',
  examples: ['correct horse battery staple'],
})
const name = Line(200, 'Ada Lovelace', 'How to call the person')
const newEmail = Described(Email, 'What the person will sign in with; mail there proves that it is theirs')
/** Tokens in links and bodies: opaque text of bounded length. */
const token = (example: string, description: string) =>
  Type.String({ minLength: 1, maxLength: 4096, description, examples: [example] })
const TOKEN = 'q6lV9jvJk0vD3n1uYyX7mE2cWq8hTzRr5sBvN4pLkAg'
const linkToken = token(TOKEN, 'The `token` of the link in the mail; good once, until its term ends')

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
  token_type: Type.Literal('Bearer', { description: 'How the access token is sent: `Authorization: Bearer …`' }),
  expires_in: Type.Integer({ description: 'Seconds until the access token ends', examples: [600] }),
  tenant_id: Nullable(Described(Uuid, 'The tenant that the tokens are for; null: none')),
}

export const Tokens = Closed(tokenFields, {
  title: 'Tokens',
  description: 'What shows who is calling, and renews itself',
})
export type Tokens = Static<typeof Tokens>

export const SignedIn = Closed(
  {
    user: User,
    tenant: Nullable(Tenant),
    ...tokenFields,
    // Never sent. It is declared so that a client can tell the two answers apart by one field.
    two_factor_required: Type.Optional(
      Type.Literal(false, { description: 'Absent, or false: the sign-in is complete, and these are its tokens' }),
    ),
  },
  { title: 'SignedIn', description: 'A complete sign-in: who it is, where, and the tokens of the session' },
)
export type SignedIn = Static<typeof SignedIn>

export const TwoFactorRequired = Closed(
  {
    two_factor_required: Type.Literal(true, {
      description: 'The password was right, and a second factor is asked for',
    }),
    challenge_token: Type.String({
      secret: true,
      description: 'Shows that the first factor was given; good for five minutes',
    }),
  },
  { title: 'TwoFactorRequired', description: 'Half a sign-in: no tokens yet' },
)
export type TwoFactorRequired = Static<typeof TwoFactorRequired>

/** The answer to every sign-in: tokens, or the request for a second factor. */
export const SignInAnswer = Type.Union([SignedIn, TwoFactorRequired], {
  title: 'SignInAnswer',
  description: 'Tokens, or the question for the second factor: `two_factor_required` tells which',
})
export type SignInAnswer = Static<typeof SignInAnswer>

export const Registration = Closed({
  email: newEmail,
  password: newPassword,
  name,
  tenant_name: Line(200, 'Blue Bottle Coffee', 'What people call the company'),
  tenant_slug: Type.Optional(Slug),
})
export type Registration = Static<typeof Registration>

// Any text is accepted: a text that is no address belongs to no account, and the answer is the same.
const claimedEmail = Type.String({
  minLength: 1,
  maxLength: 320,
  description: 'The address of the account, in any letters',
  examples: ['ada@example.com'],
})

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

export const RefreshRequest = Closed(
  {
    refresh_token: Type.Optional(token(TOKEN, 'The newest one of the session; good for one exchange')),
    tenant_id: Type.Optional(
      Type.String({
        format: 'uuid',
        description:
          'With a session in a cookie, which all tabs share: the tenant that this tab acts in. Default: the one last asked for',
      }),
    ),
  },
  { examples: [{ refresh_token: TOKEN }] },
)
export type RefreshRequest = Static<typeof RefreshRequest>

export const Bootstrap = Closed({
  bootstrap_token: token('k3pQ0vF8m1', 'The one that the first start has printed, or `BOOTSTRAP_TOKEN`'),
  email: Type.With(newEmail, { examples: ['olga@example.com'] }),
  password: newPassword,
  name: Line(200, 'Olga Operator', 'How to call the person'),
})
export type Bootstrap = Static<typeof Bootstrap>

export const ForgotPassword = Closed({ email: claimedEmail })

export const ResetPassword = Closed({ token: linkToken, password: newPassword })
export type ResetPassword = Static<typeof ResetPassword>

export const VerifyEmail = Closed({ token: linkToken })

export const Acceptance = Closed({
  token: token(`0192a1b2c3d47e5f8a9b0c1d2e3f4a5b.${TOKEN}`, 'The `token` of the link in the mail'),
  name: Type.Optional(Type.With(name, { examples: ['Grace Hopper'] })),
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

export const SwitchTenant = Closed({
  tenant_id: Type.String({ format: 'uuid', description: 'One of the tenants that you belong to' }),
})

export const ChangePassword = Closed({
  current_password: givenPassword,
  new_password: Type.With(newPassword, { examples: ['seven lanterns over the harbour'] }),
})
export type ChangePassword = Static<typeof ChangePassword>

export const Jwks = Closed(
  {
    keys: Type.Array(
      Closed({
        kty: Type.Literal('OKP', { description: 'Type of the key, as RFC 8037 has it' }),
        crv: Type.Literal('Ed25519', { description: 'Its curve' }),
        x: Type.String({ description: 'The public key: 32 bytes in base64url' }),
        kid: Type.String({ description: 'Its name, which the header of a token gives' }),
        use: Type.Literal('sig', { description: 'For signatures' }),
        alg: Type.Literal('EdDSA', { description: 'What tokens are signed with' }),
      }),
      { description: 'Keys of tokens that still count, and the one that is next' },
    ),
  },
  { title: 'Jwks', description: 'RFC 7517' },
)
export type Jwks = Static<typeof Jwks>

export const NewPerson = Closed({
  ...newMemberFields,
  name: Type.With(name, { examples: ['Grace Hopper'] }),
  password: Type.Optional(newPassword),
})
