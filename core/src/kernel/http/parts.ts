import type { Ctx } from '../context.ts'
import { idempotencyKeyInUse } from '../errors.ts'
import { hashedId } from '../ids.ts'
import { type KeyRow, type keysOf, sealContext } from './idempotency-rows.ts'

/** What parts of the work of a request with an `Idempotency-Key` gave that were committed one by one. */
export interface Parts {
  /** What a part gave when it was done; undefined: it was not. */
  find(ctx: Ctx, name: string): Promise<{ result: unknown } | undefined>
  /** Keeps what it gave, exactly if the transaction commits. Throws 409 when it was done by another request meanwhile. */
  keep(ctx: Ctx, name: string, result: unknown): Promise<void>
}

interface Keyed {
  /** Of the key's own row. */
  id: string
  /** Of the request, under each of the secrets, the current one first. */
  prints: readonly string[]
  rows: ReturnType<typeof keysOf>
  keptMs: number
}

/** Rows beside that of the key, which go when it goes. Another body under the key finds none of them. */
export function keptParts({ clock, secrets }: Ctx, { id, prints, rows, keptMs }: Keyed): Parts {
  const [print = ''] = prints
  const idOf = (print: string, name: string) => hashedId([id, print, name].join('\0'))
  return {
    async find(ctx, name) {
      const since = new Date(clock.ms() - keptMs).toISOString()
      const ids = prints.map((each) => idOf(each, name))
      const row = await rows.find(ctx, ids, since)
      if (!row || row.answer === null) return undefined
      return { result: JSON.parse(secrets.openText(row.answer, sealContext(row.id))) } // sealed by keep below
    },
    async keep(ctx, name, result) {
      const part = idOf(print, name)
      const row: KeyRow = {
        id: part,
        created_at: clock.now(),
        request_hash: print,
        claim: part,
        claimed_until: null,
        status: null,
        answer: secrets.seal(JSON.stringify(result), sealContext(part)),
      }
      if (await rows.insert(ctx, row)) return
      // One of an earlier day that nobody has tidied up yet, or somebody has done the same just now.
      const known = await rows.lock(ctx, part)
      const isOld = known && Date.parse(known.created_at) + keptMs < clock.ms()
      if (!isOld || !(await rows.update(ctx, part, part, row)))
        throw idempotencyKeyInUse({ detail: 'Another request with this key is doing the same' })
    },
  }
}
