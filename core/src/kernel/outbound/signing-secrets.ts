import { type Clock, fromNow, HOURS } from '../clock.ts'
import type { SecretBox } from '../secrets.ts'
import type { SealedKind } from '../specs.ts'
import { newSigningSecret } from './signing.ts'

/** What a receiver's row keeps of what signs for it. Nothing stands here in the clear. */
export interface SigningColumns {
  secret: string
  /** Signs too until `previous_until`. */
  previous_secret: string | null
  previous_until: string | null
}

/** How long the secret before signs too. */
const OVERLAP_MS = 24 * HOURS

interface Tools {
  readonly secrets: SecretBox
  readonly clock: Clock
}

/** The secrets that sign for the receivers in one table, each sealed for its row. */
export interface SigningSecrets {
  /** The first secret of a receiver, which is shown once, and what its row keeps. */
  create(tools: Tools, id: string): { secret: string; columns: SigningColumns }
  /** A new secret, and what the row keeps; the one before signs too until `previous_until`, 24 hours. */
  rotate(tools: Tools, row: SigningColumns & { id: string }): { secret: string; columns: RotatedColumns }
  /** What signs now, the newest first. Throws SecretsLost. */
  open(tools: Tools, row: SigningColumns & { id: string }): string[]
  /** For `sealed` of the module. */
  readonly sealed: SealedKind
}

interface RotatedColumns extends SigningColumns {
  previous_until: string
}

/** Whatever signs for a receiver was sealed with an APP_SECRET that is not configured any more; for whoever owns it. */
export class SecretsLost extends Error {
  override name = 'SecretsLost'

  constructor() {
    super('The secret cannot be read any more: rotate it')
  }
}

/**
 * `table` has the columns of SigningColumns and `id`; `context` is what a row of it is sealed as; `name` completes "…
 * cannot be opened".
 */
export function defineSigningSecrets(table: string, context: string, name: string): SigningSecrets {
  const contextOf = (id: string) => `${context}:${id}`
  const create = ({ secrets }: Pick<Tools, 'secrets'>, id: string) => {
    const secret = newSigningSecret()
    return { secret, columns: { secret: secrets.seal(secret, contextOf(id)), ...NO_PREVIOUS } }
  }
  return {
    create,
    rotate(tools, { id, secret: previous_secret }) {
      const { secret, columns } = create(tools, id)
      return { secret, columns: { ...columns, previous_secret, previous_until: fromNow(tools.clock, OVERLAP_MS) } }
    },
    open({ secrets, clock }, row) {
      const isBoth = row.previous_until !== null && Date.parse(row.previous_until) > clock.ms()
      const sealed = isBoth && row.previous_secret !== null ? [row.secret, row.previous_secret] : [row.secret]
      try {
        return sealed.map((each) => secrets.openText(each, contextOf(row.id)))
      } catch {
        throw new SecretsLost()
      }
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
