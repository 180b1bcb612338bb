import { type Clock, fromNow, HOURS } from '../clock.ts'
import type { SecretBox } from '../secrets.ts'
import type { SealedKind } from '../specs.ts'
import { newSigningSecret } from './signing.ts'

/** Columns of a receiver's row for its secrets, all encrypted. */
export interface SigningColumns {
  secret: string
  /** Also signs until `previous_until`. */
  previous_secret: string | null
  previous_until: string | null
}

/** How long the previous secret also signs. */
const OVERLAP_MS = 24 * HOURS

interface Tools {
  readonly secrets: SecretBox
  readonly clock: Clock
}

/** The signing secrets of the receivers in one table, each encrypted for its row. */
export interface SigningSecrets {
  /** Creates a receiver's first secret, which is shown once, and the columns of its row. */
  create(tools: Tools, id: string): { secret: string; columns: SigningColumns }
  /**
   * Creates a new secret and the columns of the row; the previous one also signs until `previous_until`, for 24 hours.
   */
  rotate(tools: Tools, row: SigningColumns & { id: string }): { secret: string; columns: RotatedColumns }
  /** The current secrets that can be read, newest first. Throws SecretsLost when the newest cannot. */
  open(tools: Tools, row: SigningColumns & { id: string }): string[]
  /** For `sealed` of the module. */
  readonly sealed: SealedKind
}

interface RotatedColumns extends SigningColumns {
  previous_until: string
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
  const create = ({ secrets }: Pick<Tools, 'secrets'>, id: string) => {
    const secret = newSigningSecret()
    return { secret, columns: { secret: secrets.seal(secret, contextOf(id)), ...NO_PREVIOUS } }
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
    rotate(tools, { id, secret: previous_secret }) {
      const { secret, columns } = create(tools, id)
      return { secret, columns: { ...columns, previous_secret, previous_until: fromNow(tools.clock, OVERLAP_MS) } }
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

const NO_PREVIOUS = { previous_secret: null, previous_until: null }
