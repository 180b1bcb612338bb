import { type Clock, fromNow, HOURS } from '../clock.ts'
import type { SecretBox } from '../secrets.ts'
import type { SealedKind } from '../specs.ts'
import { newSigningKeyPair, newSigningSecret, type SignatureKind, signatureKindOf } from './signing-keys.ts'

/** Columns of a receiver's row for its secrets, all encrypted. */
export interface SigningColumns {
  secret: string
  /** Also signs until `previous_until`. */
  previous_secret: string | null
  previous_until: string | null
}

/** How long the previous secret also signs unless a rotation says otherwise. */
const OVERLAP_MS = 24 * HOURS

interface Tools {
  readonly secrets: SecretBox
  readonly clock: Clock
}

/** The signing secrets of the receivers in one table, each encrypted for its row. */
export interface SigningSecrets {
  /** Creates a receiver's first secret and the columns of its row. `kind`: default `v1`. */
  create(tools: Tools, id: string, kind?: SignatureKind): NewSecret
  /**
   * Creates a new secret and the columns of the row. The previous one also signs until `previousUntil`; the one before
   * that signs no more.
   */
  rotate(tools: Tools, row: SigningColumns & { id: string }, options?: RotationOptions): SecretRotation
  /** The current secrets that can be read, newest first. Throws SecretsLost when the newest cannot. */
  open(tools: Tools, row: SigningColumns & { id: string }): string[]
  /** For `sealed` of the module. */
  readonly sealed: SealedKind
}

/** A secret that was just made, and what the row keeps of it. */
export interface NewSecret {
  /** Shown once: `whsec_…` for `v1`, the private key `whsk_…` for `v1a`. A receiver of `v1a` needs `publicKey` alone. */
  readonly secret: string
  /** By which the receiver checks signatures of `v1a` (`whpk_…`); null for `v1`. */
  readonly publicKey: string | null
  readonly columns: SigningColumns
}

export interface SecretRotation extends NewSecret {
  /** When the previous secret stops signing; now without an overlap. */
  readonly previousUntil: string
}

export interface RotationOptions {
  /**
   * How long the previous secret also signs, in milliseconds; a maximum is for the caller to check. 0: it signs no more,
   * and `previous_secret` and `previous_until` are null. Default: 24 hours.
   */
  readonly overlapMs?: number
  /** Default: that of the present secret, or `v1` when that cannot be read. */
  readonly kind?: SignatureKind
}

/** The secrets of a receiver were encrypted with an APP_SECRET that is no longer configured. */
export class SecretsLost extends Error {
  override name = 'SecretsLost'

  constructor() {
    super('The secret cannot be read any more: rotate it')
  }
}

/**
 * `table` has the columns of SigningColumns and `id`; `context` binds the encryption to a row; `name` completes "…
 * cannot be opened".
 */
export function defineSigningSecrets(table: string, context: string, name: string): SigningSecrets {
  const contextOf = (id: string) => `${context}:${id}`
  const create = ({ secrets }: Pick<Tools, 'secrets'>, id: string, kind: SignatureKind = 'v1') => {
    const { secret, publicKey } = makeSecret(kind)
    return { secret, publicKey, columns: { secret: secrets.seal(secret, contextOf(id)), ...NO_PREVIOUS } }
  }
  const openOne = (secrets: SecretBox, id: string, sealed: string): string | null => {
    try {
      return secrets.openText(sealed, contextOf(id))
    } catch {
      return null
    }
  }
  return {
    create,
    rotate(tools, { id, secret: previous_secret }, { overlapMs = OVERLAP_MS, kind } = {}) {
      if (!(overlapMs >= 0)) throw new Error('An overlap is not negative')
      const present = openOne(tools.secrets, id, previous_secret)
      const made = create(tools, id, kind ?? (present === null ? 'v1' : signatureKindOf(present)))
      const previousUntil = fromNow(tools.clock, overlapMs)
      const previous = overlapMs === 0 ? NO_PREVIOUS : { previous_secret, previous_until: previousUntil }
      return { ...made, columns: { ...made.columns, ...previous }, previousUntil }
    },
    open({ secrets, clock }, row) {
      const isBoth = row.previous_until !== null && Date.parse(row.previous_until) > clock.ms()
      const current = openOne(secrets, row.id, row.secret)
      if (current === null) throw new SecretsLost()
      // One that was lost must not silence the one that replaced it.
      const previous = isBoth && row.previous_secret !== null ? openOne(secrets, row.id, row.previous_secret) : null
      return previous === null ? [current] : [current, previous]
    },
    sealed: {
      name,
      async samples({ db }) {
        const ends = ['asc', 'desc'].map((order) => `(select id, secret from ${table} order by id ${order} limit 1)`)
        const rows = await db.systemQuery<{ id: string; secret: string }>(ends.join(' union '))
        return rows.map(({ id, secret }) => ({ sealed: secret, context: contextOf(id) }))
      },
    },
  }
}

function makeSecret(kind: SignatureKind): { secret: string; publicKey: string | null } {
  return kind === 'v1a' ? newSigningKeyPair() : { secret: newSigningSecret(), publicKey: null }
}

const NO_PREVIOUS = { previous_secret: null, previous_until: null }
