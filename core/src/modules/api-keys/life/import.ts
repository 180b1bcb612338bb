import { at, type Ctx, conflict, consume, type FieldProblem } from '#kernel'
import type { Limits } from '../access/rights.ts'
import { lockMaker, readWish, refuse, requireHeld } from '../access/wishes.ts'
import { apiKeyImported } from '../events.ts'
import { hashRow, type NewKeyRow, newKeyRow } from '../new-keys.ts'
import { presentKey } from '../present.ts'
import { insertHashes, insertKeys } from '../queries.ts'
import type { ApiKey, ImportedKey } from '../schema.ts'

const PREFIX_LENGTH = 8

/**
 * Takes over keys that were made elsewhere, by their hashes: all of them or none. Throws 400 with all that is wrong, 403 for
 * scopes that the caller does not hold, 409 for hashes that are known already, whoever has them, 402 where the plan is full.
 */
export async function importKeys(ctx: Ctx, keys: readonly ImportedKey[]): Promise<{ data: ApiKey[] }> {
  const rows: NewKeyRow[] = []
  const problems: FieldProblem[] = problemsOfHashes(keys)
  for (const [index, given] of keys.entries()) {
    const [wish, wrong] = await readWish(ctx, given, { path: `keys/${index}/` })
    problems.push(...wrong)
    const { name, rate_limit_per_minute = null, hash, key_prefix = hash.slice(0, PREFIX_LENGTH).toLowerCase() } = given
    rows.push(newKeyRow(ctx, { ...wish, name, rate_limit_per_minute }, { key_prefix, replaces_id: null }))
  }
  refuse(problems)
  const holds = await lockMaker(ctx, 'api_key.create')
  for (const [index, row] of rows.entries()) requireHeld(holds, row as Limits, null, `keys/${index}/`) // its scopes and stores
  const made = await insertKeys(ctx.tx, rows)
  await takeHashes(ctx, keys, rows)
  await consume(ctx, 'api_keys', rows.length)
  const byId = new Map(made.map((row) => [row.id, presentKey(row)]))
  const data = rows.flatMap(({ id }) => byId.get(id) ?? [])
  for (const after of data) await ctx.emit(apiKeyImported, { after })
  return { data }
}

async function takeHashes({ tx }: Ctx, keys: readonly ImportedKey[], rows: readonly NewKeyRow[]): Promise<void> {
  const hashes = keys.map(({ hash }) => Buffer.from(hash, 'hex'))
  // In one order, so that two imports of the same keys wait for each other and do not meet crosswise.
  const order = hashes.map((hash, index) => ({ hash, index })).sort((a, b) => Buffer.compare(a.hash, b.hash))
  const wanted = order.flatMap(({ hash, index }) => (rows[index] ? [hashRow(rows[index], hash, true)] : []))
  const taken = new Set((await insertHashes(tx, wanted)).map(({ key_hash }) => key_hash.toString('hex')))
  const errors = hashes.flatMap((hash, index) =>
    taken.has(hash.toString('hex')) ? [] : [at(`keys/${index}/hash`, 'cannot be imported: it is known already')],
  )
  if (errors.length > 0) throw conflict({ detail: 'Some of these hashes are known already', errors })
}

function problemsOfHashes(keys: readonly ImportedKey[]): FieldProblem[] {
  const hashes = keys.map(({ hash }) => hash.toLowerCase())
  return hashes.flatMap((hash, index) =>
    hashes.indexOf(hash) < index ? [at(`keys/${index}/hash`, 'stands in this import twice')] : [],
  )
}
