import {
  type Ctx,
  canonicalLocale,
  canonicalTimeZone,
  type Insertable,
  isUuid,
  normalizeEmail,
  type Tables,
} from '#kernel'
import { PEOPLE } from '../content/manifest.ts'
import { insertPeople, listPeopleToLink } from './import-queries.ts'
import { partsOf } from './lines.ts'
import type { Archive } from './open-archive.ts'
import { ImportRefused } from './problem.ts'

const PART = { from: 0, bytes: 256 * 1024, most: 500 }

/** A person of an export. */
interface Person {
  id: string
  /** Null: one who was no member any more. */
  address: string | null
  row: Insertable<Tables['users']>
}

/** The ids that people have here, by those that they have in the export, where they differ. */
export type Renamed = ReadonlyMap<string, string>

/**
 * Finds the people of an export here by their addresses, and adds those who are not here: without a password, and with an address that
 * is still to be proven. One who was no member any more gets a disabled account without a name, for what refers to them. May be repeated.
 */
export async function importPeople(ctx: Ctx, archive: Archive): Promise<Renamed> {
  const renamed = new Map<string, string>()
  for await (const { lines } of partsOf(await archive.read(PEOPLE), PART)) {
    const people = lines.map((line) => readPerson(ctx, line))
    await ctx.transaction(
      async ({ tx }) => {
        await insertPeople(
          tx,
          people.map(({ row }) => row),
        )
        for (const [from, to] of await link(tx, people)) if (from !== to) renamed.set(from, to)
      },
      { role: 'system', tenantId: null },
    )
  }
  return renamed
}

/** Checks every person of an export without writing anything; says how many there are. */
export async function checkPeople(ctx: Ctx, archive: Archive): Promise<number> {
  let count = 0
  for await (const { lines } of partsOf(await archive.read(PEOPLE), PART)) {
    for (const line of lines) readPerson(ctx, line)
    count += lines.length
  }
  return count
}

async function link(tx: Ctx['tx'], people: readonly Person[]): Promise<[string, string][]> {
  const addresses = people.flatMap(({ address }) => address ?? [])
  const here = await listPeopleToLink(
    tx,
    people.map(({ id }) => id),
    addresses,
  )
  const byAddress = new Map(here.map((user) => [user.email_normalized, user.id]))
  const ids = new Set(here.map(({ id }) => id))
  return people.map(({ id, address }) => {
    const found = address === null ? (ids.has(id) ? id : undefined) : byAddress.get(address)
    if (found === undefined) throw new ImportRefused(`the person ${id} of ${PEOPLE} has another address here`)
    return [id, found]
  })
}

function readPerson({ clock }: Ctx, line: string): Person {
  const told = JSON.parse(line) as Record<string, unknown> // checked below
  const { id, is_member, email, name, phone } = told
  const refuse = () => new ImportRefused(`a line of ${PEOPLE} is not what an export has`)
  if (typeof id !== 'string' || !isUuid(id)) throw refuse()
  const now = clock.now()
  const common = { id, created_at: now, updated_at: now, email_verified_at: null, two_factor_enabled: false }
  if (is_member !== true) {
    const email = `${id}@former.invalid`
    const row = {
      ...common,
      email,
      email_normalized: email,
      name: 'Former member',
      phone: null,
      locale: 'en',
      timezone: 'UTC',
    }
    return { id, address: null, row: { ...row, status: 'disabled' } }
  }
  const address = typeof email === 'string' ? normalizeEmail(email) : null
  if (address === null || typeof email !== 'string' || typeof name !== 'string' || name.length > 200) throw refuse()
  if (phone !== null && (typeof phone !== 'string' || phone.length > 40)) throw refuse()
  const locale = (typeof told.locale === 'string' && canonicalLocale(told.locale)) || 'en'
  const timezone = (typeof told.timezone === 'string' && canonicalTimeZone(told.timezone)) || 'UTC'
  return {
    id,
    address,
    row: { ...common, email, email_normalized: address, name, phone, locale, timezone, status: 'active' },
  }
}
