import { AppError, type Ctx, newId, randomToken } from '#kernel'
import { findAccountById } from '../../auth/index.ts'
import { addUser, emailTaken, listUsersByEmail, type UserRow } from '../../users/index.ts'
import type { ExportedPeople } from '../reading/read-people.ts'
import type { TenantImportPersonTable } from '../table.ts'
import type { LinkedPeople } from './identities.ts'
import { unusableAccount } from './identities.ts'
import {
  insertImportPeople,
  insertUnusableAccounts,
  listImportPeople,
  listImportPeopleAmong,
  lockImport,
} from './import-queries.ts'
import { elsewhere } from './steps.ts'

/** People who are linked in one transaction. */
const AT_ONCE = 200
const MOST_ATTEMPTS = 5

type Kind = TenantImportPersonTable['kind']

/** A member of an export, by their address. */
export interface Wanted {
  id: string
  email: string
  name: string
}

export const membersOf = (people: ExportedPeople): Wanted[] =>
  [...people].flatMap(([id, { member }]) => (member ? { id, ...member } : []))

/**
 * What becomes of the members of an export here. An address that is proven leads to the account that has it, and so does one of an account
 * without a password, which nobody can use before a mail has proven it. An account that has a password and an address that
 * nobody has proven may be anybody's: it is left alone.
 */
export async function judge(
  ctx: Ctx,
  members: readonly Wanted[],
): Promise<Map<string, { kind: Kind; user?: UserRow }>> {
  const judged = new Map<string, { kind: Kind; user?: UserRow }>()
  for (let at = 0; at < members.length; at += AT_ONCE) {
    const some = members.slice(at, at + AT_ONCE)
    const here = await ctx.transaction(({ tx }) => judgeSome(tx, some), { role: 'system', tenantId: null })
    for (const [id, each] of here) judged.set(id, each)
  }
  return judged
}

async function judgeSome(
  tx: Ctx['tx'],
  members: readonly Wanted[],
): Promise<[string, { kind: Kind; user?: UserRow }][]> {
  const users = await listUsersByEmail(
    tx,
    members.map(({ email }) => email),
  )
  const byEmail = new Map(users.map((user) => [user.email_normalized, user]))
  const judged: [string, { kind: Kind; user?: UserRow }][] = []
  for (const { id, email } of members) {
    const user = byEmail.get(email)
    if (!user) judged.push([id, { kind: 'new' }])
    else if (user.email_verified_at !== null || (await isPasswordless(tx, user.id)))
      judged.push([id, { kind: 'linked', user }])
    else judged.push([id, { kind: 'none' }])
  }
  return judged
}

const isPasswordless = async (tx: Ctx['tx'], id: string) => (await findAccountById(tx, id))?.passwordHash === null

/** Finds or adds an account for every member of an export. May be repeated: whoever is linked stays so. */
export async function linkPeople(ctx: Ctx, tenantId: string, members: readonly Wanted[]): Promise<LinkedPeople> {
  const asSystem = { role: 'system', tenantId: null } as const // a word is a type
  const known = await ctx.transaction(({ tx }) => listImportPeople(tx, tenantId), asSystem)
  const linked = new Map(known.map(({ exported_id, ...person }) => [exported_id, person]))
  const due = members.filter(({ id }) => !linked.has(id))
  for (let at = 0; at < due.length; at += AT_ONCE) {
    const some = due.slice(at, at + AT_ONCE)
    const added = await linkInTime(() => ctx.transaction((ctx) => linkSome(ctx, tenantId, some), asSystem))
    for (const { exported_id, ...person } of added) linked.set(exported_id, person)
  }
  return linked
}

/** Once more where somebody registered meanwhile: now they are there. */
async function linkInTime<T>(link: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++)
    try {
      return await link()
    } catch (error) {
      if (!(error instanceof AppError) || error.kind !== emailTaken || attempt === MOST_ATTEMPTS) throw error
    }
}

async function linkSome(ctx: Ctx, tenantId: string, members: readonly Wanted[]): Promise<TenantImportPersonTable[]> {
  // Held, so that another process of the same import waits, and finds them linked.
  if (!(await lockImport(ctx.tx, tenantId))) throw elsewhere()
  const ids = members.map(({ id }) => id)
  const linked = await listImportPeopleAmong(ctx.tx, tenantId, ids)
  const known = new Map(linked.map((person) => [person.exported_id, person]))
  const due = members.filter(({ id }) => !known.has(id))
  const added = await addPeople(ctx, tenantId, due)
  return [...members.flatMap(({ id }) => known.get(id) ?? []), ...added]
}

async function addPeople(ctx: Ctx, tenantId: string, members: readonly Wanted[]): Promise<TenantImportPersonTable[]> {
  const judged = new Map(await judgeSome(ctx.tx, members))
  const people: TenantImportPersonTable[] = []
  for (const { id, email, name } of members) {
    const { kind, user } = judged.get(id) ?? { kind: 'none' }
    const userId = user?.id ?? (kind === 'new' ? (await addUser(ctx, { email, name })).id : newId())
    if (kind === 'none') await insertUnusableAccounts(ctx.tx, [unusableAccount(userId, ctx.clock.now())])
    people.push({ tenant_id: tenantId, exported_id: id, user_id: userId, kind })
  }
  if (people.length > 0) await insertImportPeople(ctx.tx, people)
  return people
}

/** What ids are made with of people who get no account. */
export const newSalt = (): string => randomToken()
