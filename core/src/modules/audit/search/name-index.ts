import { type Ctx, hashedId, LEAST_ID } from '#kernel'
import type { AuditLog } from '../schema.ts'
import { lockChain } from '../seals/seal-queries.ts'
import type { NameKind, NameRow } from '../table.ts'
import {
  deleteNames,
  insertNames,
  insertTerms,
  listNamesBefore,
  listNamesById,
  type Term,
  updateNames,
} from './search-queries.ts'
import { termsOf } from './words.ts'

type Name = Omit<NameRow, 'tenant_id'>

/** Names deleted per statement. */
const BATCH = 1_000

/**
 * Adds the names of records to the tenant's dictionary, in the transaction of `ctx`, which must hold the lock of the
 * tenant's chain. Repeating it changes nothing.
 */
export async function indexNames({ tx, tenantId }: Ctx, records: readonly AuditLog[]): Promise<void> {
  const names = namesOf(records)
  if (names.size === 0) return
  const known = await listNamesById(tx, tenantId, [...names.keys()])
  const wider: Name[] = []
  for (const old of known) {
    const name = names.get(old.id)
    names.delete(old.id)
    if (name && (name.first_id < old.first_id || name.last_id > old.last_id)) wider.push(union(old, name))
  }
  const added = [...names.values()]
  await Promise.all([
    wider.length > 0 && updateNames(tx, tenantId, wider),
    added.length > 0 && insertNames(tx, tenantId, added),
    added.length > 0 && insertTerms(tx, tenantId, added.flatMap(termsOfName)),
  ])
}

/**
 * Removes names from the dictionary that only records with smaller ids held, after retention has removed those. Uses
 * its own transactions; the context needs none open.
 */
export async function forgetNames(ctx: Ctx, before: string): Promise<void> {
  let afterId: string | null = LEAST_ID
  while (afterId !== null) {
    const from: string = afterId
    afterId = await ctx.transaction((ctx) => forgetSome(ctx, before, from), { role: 'system' })
  }
}

/** Returns the last deleted name; null: there were none. */
async function forgetSome({ tx, tenantId }: Ctx, before: string, afterId: string): Promise<string | null> {
  // Sealing does not write a name that exists already, so it must not see one that is about to be deleted.
  await lockChain(tx, tenantId)
  const names = await listNamesBefore(tx, tenantId, { before, afterId, limit: BATCH })
  if (names.length === 0) return null
  const ids = names.map(({ id }) => id)
  await deleteNames(tx, tenantId, ids, names.flatMap(termsOfName))
  return ids.at(-1) ?? null
}

const termsOfName = ({ id, label }: Pick<Name, 'id' | 'label'>): Term[] =>
  termsOf(label).map((term) => ({ term, name_id: id }))

/** Each distinct name of the records, by its id. */
function namesOf(records: readonly AuditLog[]): Map<string, Name> {
  const names = new Map<string, Name>()
  const ids = new Map<string, string>()
  for (const record of records)
    for (const { kind, ref, label } of labelsOf(record)) {
      const key = JSON.stringify([kind, ref, label])
      const id = ids.get(key) ?? hashedId(key)
      ids.set(key, id)
      const name = { id, kind, ref, label, first_id: record.id, last_id: record.id }
      const other = names.get(id)
      names.set(id, other ? union(other, name) : name)
    }
  return names
}

function* labelsOf(record: AuditLog): Generator<{ kind: NameKind; ref: string; label: string }> {
  const { actor, action, resource_id, resource_type, resource_label } = record
  yield { kind: 'action', ref: action, label: action }
  if (actor.id === null) yield { kind: 'actor_type', ref: actor.type, label: actor.label }
  else yield { kind: 'actor', ref: actor.id, label: actor.label }
  if (resource_label === null) return
  if (resource_id === null) yield { kind: 'resource_type', ref: resource_type, label: resource_label }
  else yield { kind: 'resource', ref: resource_id, label: resource_label }
}

function union(one: Name, other: Name): Name {
  return {
    ...one,
    first_id: one.first_id < other.first_id ? one.first_id : other.first_id,
    last_id: one.last_id > other.last_id ? one.last_id : other.last_id,
  }
}
