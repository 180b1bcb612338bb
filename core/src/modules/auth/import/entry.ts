import { canonicalLocale, canonicalTimeZone, normalizeEmail, showsSomething, tidyLine } from '#kernel'
import type { UserRow } from '../../users/index.ts'
import { toStoredHash } from '../passwords/foreign-hashes.ts'
import { HashRefused } from '../passwords/hash-refused.ts'
import { quoted } from './places.ts'

/** A tenant that somebody is to belong to. */
export interface WantedPlace {
  /** Its slug or id; null: that of the whole import. */
  tenant: string | null
  /** The name or id of the role to hold there; null: that of the whole import. */
  role: string | null
}

/** One person to be imported, checked. */
export interface Entry {
  /** Normalised. */
  email: string
  /** Null: not told. */
  name: string | null
  /** As it is to be stored; null: they have none, and set one by a link in a mail. */
  passwordHash: string | null
  locale: string | null
  timezone: string | null
  isEmailVerified: boolean
  status: UserRow['status']
  /** Empty: where the whole import puts people, if anywhere. */
  places: WantedPlace[]
}

/** What may be said of a person; `tenant` and `role` are short for one membership. */
export const ENTRY_FIELDS = [
  'email',
  'name',
  'password_hash',
  'locale',
  'timezone',
  'email_verified',
  'status',
  'tenant',
  'role',
  'memberships',
] as const // names that are looked for

type Fields = Readonly<Record<string, unknown>>
/** Says what is wrong, to be read after the name of the field. */
type Complain = (field: string, what: string) => null

/** Reads what a file says of a person: texts alone from CSV. Everything that is wrong, or the person. No hash is repeated. */
export function readEntry(fields: Fields): Entry | { problems: string[] } {
  const problems: string[] = []
  const complain: Complain = (field, what) => {
    problems.push(`${field} ${what}`)
    return null
  }
  for (const name of Object.keys(fields))
    if (!(ENTRY_FIELDS as readonly string[]).includes(name)) complain(quoted(name), 'is no field of a person')
  const entry = {
    email: readEmail(fields, complain),
    name: readName(fields, complain),
    passwordHash: readHash(fields, complain),
    locale: readLocale(fields, complain),
    timezone: readTimeZone(fields, complain),
    isEmailVerified: readVerified(fields, complain),
    status: readStatus(fields, complain),
    places: readPlaces(fields, complain),
  }
  const { email } = entry
  return problems.length > 0 || email === null ? { problems } : { ...entry, email }
}

/** A text; null when it is absent, null or empty. */
function textOf(fields: Fields, field: string, complain: Complain): string | null {
  const value = fields[field]
  if (value === undefined || value === null || value === '') return null
  if (typeof value !== 'string') return complain(field, 'must be a text')
  return value.isWellFormed() && !value.includes('\0') ? value : complain(field, 'has signs that cannot be kept')
}

function readEmail(fields: Fields, complain: Complain): string | null {
  const given = fields.email
  if (typeof given !== 'string' || given.trim() === '') return complain('email', 'is missing')
  return normalizeEmail(given) ?? complain('email', 'is not a valid e-mail address')
}

const LONGEST_NAME = 200

function readName(fields: Fields, complain: Complain): string | null {
  const given = textOf(fields, 'name', complain)
  if (given === null || given.trim() === '') return null
  const name = tidyLine(given)
  if (/\p{Cc}/u.test(name) || !showsSomething(name))
    return complain('name', 'must be a single line that shows something')
  return name.length <= LONGEST_NAME ? name : complain('name', `must have at most ${LONGEST_NAME} characters`)
}

function readHash(fields: Fields, complain: Complain): string | null {
  const given = textOf(fields, 'password_hash', complain)
  // Django writes so that nobody can sign in with a password.
  if (given === null || given.startsWith('!')) return null
  try {
    return toStoredHash(given.trim())
  } catch (error) {
    if (!(error instanceof HashRefused)) throw error
    return complain('password_hash', error.message)
  }
}

function readLocale(fields: Fields, complain: Complain): string | null {
  const given = textOf(fields, 'locale', complain)
  // `de_CH` is how others write `de-CH`.
  return (
    given &&
    (canonicalLocale(given.trim().replaceAll('_', '-')) ?? complain('locale', 'is no language tag, such as de-CH'))
  )
}

function readTimeZone(fields: Fields, complain: Complain): string | null {
  const given = textOf(fields, 'timezone', complain)
  return given && (canonicalTimeZone(given.trim()) ?? complain('timezone', 'is no time zone, such as Europe/Zurich'))
}

const WORDS: Readonly<Record<string, boolean>> = {
  ...{ true: true, t: true, yes: true, '1': true },
  ...{ false: false, f: false, no: false, '0': false },
}

function readVerified(fields: Fields, complain: Complain): boolean {
  const value = fields.email_verified
  if (value === undefined || value === null || value === '') return false
  const word = String(value).toLowerCase()
  if (['string', 'boolean', 'number'].includes(typeof value) && Object.hasOwn(WORDS, word)) return WORDS[word] === true
  complain('email_verified', 'must be true or false')
  return false
}

function readStatus(fields: Fields, complain: Complain): UserRow['status'] {
  const given = textOf(fields, 'status', complain)
  if (given === null || given === 'active' || given === 'disabled') return given ?? 'active'
  complain('status', 'must be active or disabled')
  return 'active'
}

const MOST_PLACES = 50

function readPlaces(fields: Fields, complain: Complain): WantedPlace[] {
  const { memberships } = fields
  const alone = readPlace(fields, complain)
  if (memberships === undefined || memberships === null) return alone.tenant || alone.role ? [alone] : []
  if (alone.tenant || alone.role) complain('memberships', 'cannot stand beside tenant and role')
  if (!Array.isArray(memberships) || memberships.length > MOST_PLACES) {
    complain('memberships', `must be a list of at most ${MOST_PLACES}`)
    return []
  }
  return memberships.map((each: unknown, index) => {
    const at: Complain = (field, what) => complain(`memberships/${index}/${field}`, what)
    const isObject = typeof each === 'object' && each !== null && !Array.isArray(each)
    const given: Fields = isObject ? { ...each } : {}
    for (const name of Object.keys(given))
      if (name !== 'tenant' && name !== 'role') at(quoted(name), 'is no field of a membership')
    const place = readPlace(given, at)
    if (place.tenant === null) at('tenant', 'is missing')
    return place
  })
}

function readPlace(fields: Fields, complain: Complain): WantedPlace {
  const trimmed = (field: string) => textOf(fields, field, complain)?.trim() || null
  return { tenant: trimmed('tenant'), role: trimmed('role') }
}
