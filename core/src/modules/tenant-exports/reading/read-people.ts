import { normalizeEmail } from '#kernel'
import { PEOPLE } from '../content/manifest.ts'
import { isCanonicalId } from './ids.ts'
import { readObject } from './json.ts'
import { partsOf } from './lines.ts'
import type { Archive } from './open-archive.ts'
import { ImportRefused } from './refused.ts'

const PART = { bytes: 256 * 1024, most: 1_000 }
/** All are in memory while an export is read. */
const MOST_PEOPLE = 1_000_000

/** A person of an export. */
export interface ExportedPerson {
  /** What the tenant calls them; null: they are in it no more. */
  member: { email: string; name: string } | null
}

/** The people of an export by the ids that they have there. */
export type ExportedPeople = ReadonlyMap<string, ExportedPerson>

/** Throws `ImportRefused` for a person who is there twice, by id or address, and for one who is none. */
export async function readPeople(archive: Archive): Promise<ExportedPeople> {
  const people = new Map<string, ExportedPerson>()
  const addresses = new Set<string>()
  let last = ''
  for await (const { lines } of partsOf(await archive.read(PEOPLE), PART))
    for (const line of lines) {
      const { id, member } = readPerson(line)
      if (id <= last) throw new ImportRefused(`${PEOPLE} tells of the person ${id} twice, or not in its order`)
      last = id
      if (member && addresses.has(member.email))
        throw new ImportRefused(`${PEOPLE} tells of two people with the address ${member.email}`)
      if (member) addresses.add(member.email)
      people.set(id, { member })
      if (people.size > MOST_PEOPLE) throw new ImportRefused(`${PEOPLE} tells of more people than are read`)
    }
  return people
}

function readPerson(line: string): ExportedPerson & { id: string } {
  const { id, is_member, email, name } = readObject(line, PEOPLE)
  const refuse = () => new ImportRefused(`a line of ${PEOPLE} is not what an export has`)
  if (!isCanonicalId(id) || typeof is_member !== 'boolean') throw refuse()
  if (!is_member) return { id, member: null }
  const address = typeof email === 'string' ? normalizeEmail(email) : null
  if (address === null || typeof name !== 'string' || name.length > 200) throw refuse()
  return { id, member: { email: address, name } }
}
