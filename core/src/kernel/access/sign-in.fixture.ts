import { unauthenticated } from '../errors.ts'
import type { Authenticator } from './slots.ts'

/** Who comes, and where. */
export interface Claim {
  tenantId: string | null
  userId: string
  /** Default: `somebody`. */
  label?: string
  /** Permissions that the credential is narrowed to. Default: all that its person holds. */
  scopes?: readonly string[]
}

// Without a dot: what has one may be taken for an access token.
const PREFIX = 'claim-'

/** A credential that says itself whose it is. */
export const claim = (content: Claim): string => PREFIX + Buffer.from(JSON.stringify(content)).toString('base64url')

function claimOf(credential: string): Claim {
  try {
    return JSON.parse(Buffer.from(credential.slice(PREFIX.length), 'base64url').toString())
  } catch {
    throw unauthenticated()
  }
}

/** Takes people at their word: for tests that run without the module that signs people in, or with narrowed credentials. */
export const claims: Authenticator = {
  name: 'claims',
  matches: (credential) => credential.startsWith(PREFIX),
  identify: (_core, credential) => {
    const { tenantId, userId, label = 'somebody' } = claimOf(credential)
    if (userId === '') throw unauthenticated()
    const actor = { type: 'user' as const, id: userId, label, impersonatorId: null }
    return { key: credential, tenantId, userId, sessionId: null, actor }
  },
  standing: async (_tx, { key, actor }) => ({ actor, superAdmin: false, scopes: claimOf(key).scopes ?? null }),
}
