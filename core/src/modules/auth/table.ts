import type { Selectable } from '#kernel'

export interface UserPasswordTable {
  user_id: string
  /** Algorithm, parameters and salt included: a PHC string, or an imported one as its origin wrote it. */
  hash: string
  changed_at: string
}

export interface SessionTable {
  id: string
  user_id: string
  created_at: string
  /** Last sign-in, refresh or change of tenant: not every request, which would cost a write each. */
  last_active_at: string
  expires_at: string
  revoked_at: string | null
  ip_address: string | null
  user_agent: string | null
  /** Name for people: `Firefox on Linux`. */
  device: string
  /** Its refresh tokens travel in a cookie and never in a body; false: the other way round. */
  in_cookie: boolean
  /** The operator who acts as the person in it; null: nobody does, as with all that follow. */
  operator_id: string | null
  /** The operator's own session, which it was begun from and ends with. */
  operator_session_id: string | null
  /** The one tenant that it is for. */
  scope_tenant_id: string | null
  read_only: boolean | null
}

export interface RefreshTokenTable {
  id: string
  session_id: string
  user_id: string
  /** The tenant that its access tokens are for. Not `tenant_id`: the row belongs to the person. */
  scope_tenant_id: string | null
  lineage_id: string
  generation: number
  token_hash: Buffer
  created_at: string
  expires_at: string
  used_at: string | null
  /** The token that replaced this one, readable only with this one. */
  successor_sealed: string | null
}

export type TokenPurpose = 'verify_email' | 'reset_password'

export interface UserTokenTable {
  id: string
  user_id: string
  purpose: TokenPurpose
  /** The address that the mail went to: what the token proves, even if the person has changed theirs since. */
  email: string
  token_hash: Buffer
  created_at: string
  expires_at: string
  used_at: string | null
}

export interface KnownDeviceTable {
  user_id: string
  fingerprint: string
  first_seen_at: string
  last_seen_at: string
}

export interface LoginFailureTable {
  key: string
  /** A hash of the account's address, whether or not there is one; null: of no account. */
  account: string | null
  failures: number
  window_ends_at: string
  /** Before then no further guess is answered; null: at once. */
  next_at: string | null
}

/** Why somebody was not let in, and how often. */
export interface SignInRefusalTable {
  /** A hash of the address, whether or not it has an account. */
  account: string
  reason: string
  /** A hash of the network. */
  place: string
  attempts: number
  first_at: string
  last_at: string
  /** Name for people, of the last one. */
  device: string | null
  ip_address: string | null
}

export interface SigningKeyTable {
  /** The `kid`. */
  id: string
  generation: number
  alg: string
  public_jwk: PublicJwk
  private_sealed: string
  created_at: string
  /** Published from the start, signing from here on. */
  not_before: string
  /** No token that it signed is alive after this; null while it is the newest. */
  retire_at: string | null
  /** See `macOf`; null: written before there was one, and worth nothing. */
  mac: string | null
}

/** The public half of an Ed25519 key (RFC 8037). */
export interface PublicJwk {
  kty: 'OKP'
  crv: 'Ed25519'
  x: string
}

export interface BootstrapTable {
  id: boolean
  token_hash: Buffer | null
  created_at: string
  completed_at: string | null
  user_id: string | null
}

export type SessionRow = Selectable<SessionTable>
export type RefreshTokenRow = Selectable<RefreshTokenTable>
export type UserTokenRow = Selectable<UserTokenTable>
export type SigningKeyRow = Selectable<SigningKeyTable>
export type LoginFailureRow = Selectable<LoginFailureTable>
export type BootstrapRow = Selectable<BootstrapTable>

declare module '#kernel' {
  interface Tables {
    user_passwords: UserPasswordTable
    sessions: SessionTable
    refresh_tokens: RefreshTokenTable
    user_tokens: UserTokenTable
    known_devices: KnownDeviceTable
    login_failures: LoginFailureTable
    sign_in_refusals: SignInRefusalTable
    signing_keys: SigningKeyTable
    bootstraps: BootstrapTable
  }
}
