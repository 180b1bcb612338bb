import { createHmac } from 'node:crypto'
import { type Ctx, formatUuid } from '#kernel'
import { idsIn, replaceIds } from '../reading/ids.ts'
import { eachText, mapTexts, type Row } from '../reading/json.ts'
import type { TableToRead } from '../reading/match-tables.ts'
import type { ExportedPeople } from '../reading/read-people.ts'
import { nameOf } from '../reading/read-row.ts'
import { ImportRefused } from '../reading/refused.ts'
import type { TenantImportPersonTable } from '../table.ts'
import { insertUnusableAccounts, listAccountsAmong } from './import-queries.ts'

/** Who of an export is who here, by the ids that they have there. */
export type LinkedPeople = ReadonlyMap<string, Pick<TenantImportPersonTable, 'user_id' | 'kind'>>

/**
 * Gives every id of a person another one. No id of an account of this installation comes in that an export names: who is a member is who
 * has their address here, and anybody else is nobody, by an id that is made of theirs.
 */
export interface Identities {
  /** Rows as they are written here, in the transaction that writes them. */
  map(ctx: Ctx, table: TableToRead, rows: readonly Row[]): Promise<Row[]>
  hasAccount(userId: string): boolean
}

interface Known {
  people: ExportedPeople
  linked: LinkedPeople
  salt: string
}

export function createIdentities({ people, linked, salt }: Known): Identities {
  const usable = new Set([...linked.values()].flatMap(({ kind, user_id }) => (kind === 'none' ? [] : user_id)))

  return {
    hasAccount: (userId) => usable.has(userId),
    async map(ctx, table, rows) {
      const ids = new Set<string>()
      for (const row of rows) eachText(row, (text) => idsIn(text).forEach((id) => void ids.add(id)))
      const unknown = [...ids].filter((id) => !people.has(id))
      const accounts = new Set(await listAccountsAmong(ctx.tx, unknown))
      const nobody = (id: string) => (people.has(id) ? !linked.has(id) : accounts.has(id))
      const idHere = (id: string) => linked.get(id)?.user_id ?? (nobody(id) ? madeOf(salt, id) : id)
      const mapped = rows.map(
        (row) => mapTexts(withoutStrangers(table, row, people), (text) => replaceIds(text, idHere)) as Row,
      ) // a row stays one
      await addFormer(ctx, table, mapped, new Set([...linked.values()].map(({ user_id }) => user_id)))
      return mapped
    },
  }
}

/** A row that refers to nobody but the people of the export. Throws `ImportRefused` where it has to refer to somebody. */
export function withoutStrangers(table: TableToRead, row: Row, people: ExportedPeople): Row {
  const { name, here } = table
  let known = row
  for (const column of here.people) {
    const id = row[column]
    if (typeof id !== 'string' || isPerson(table, people, id)) continue
    if (!here.columns.some((each) => each.name === column && each.is_nullable))
      throw new ImportRefused(`${name}.${column} of ${nameOf(table, row)} is nobody whom the export tells of`)
    known = { ...known, [column]: null }
  }
  return known
}

const isPerson = ({ name }: TableToRead, people: ExportedPeople, id: string): boolean =>
  name === 'members' ? people.get(id)?.member != null : people.has(id)

/** Whoever is in the tenant no more gets an account that nobody can use, where the database asks for one. */
async function addFormer(
  { tx, clock }: Ctx,
  { here }: TableToRead,
  rows: readonly Row[],
  linked: ReadonlySet<string>,
): Promise<void> {
  const named = rows.flatMap((row) => here.people.map((column) => row[column]))
  const former = new Set(named.filter((id) => typeof id === 'string').filter((id) => !linked.has(id)))
  if (former.size > 0)
    await insertUnusableAccounts(
      tx,
      [...former].map((id) => unusableAccount(id, clock.now())),
    )
}

/** Nobody can prove that this address is theirs: `.invalid` is none. */
export function unusableAccount(id: string, now: string) {
  const email = `${id}@former.invalid`
  return {
    ...{ id, created_at: now, updated_at: now, email, email_normalized: email, name: 'Former member', phone: null },
    ...{
      locale: 'en',
      timezone: 'UTC',
      email_verified_at: null,
      two_factor_enabled: false,
      status: 'disabled' as const,
    }, // a status
  }
}

/** The same for the same person, and nobody's who could be known from elsewhere: a UUIDv8. */
export function madeOf(salt: string, id: string): string {
  const hash = createHmac('sha256', salt).update(id).digest()
  hash.writeUInt8((hash.readUInt8(6) & 0x0f) | 0x80, 6)
  hash.writeUInt8((hash.readUInt8(8) & 0x3f) | 0x80, 8)
  return formatUuid(hash.toString('hex', 0, 16))
}
