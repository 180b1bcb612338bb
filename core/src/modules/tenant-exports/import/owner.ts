import { type Ctx, hashedId } from '#kernel'
import type { ExportedPeople } from '../reading/read-people.ts'
import { ImportRefused } from '../reading/refused.ts'
import { judge } from './link-people.ts'

/** Who is to own an imported tenant. */
export interface ChosenOwner {
  /** Their id in the export; of somebody who is not in it, one made for them. */
  id: string
  email: string
  name: string
  /** Whether they are in at once. */
  isActive: boolean
}

/**
 * Whoever the command names owns the tenant: at once, where their account is proven to be theirs. Without one it is who owned it, once they
 * have accepted an invitation. Throws `ImportRefused` where that is nobody who could.
 */
export async function chooseOwner(
  ctx: Ctx,
  { people, ownerId, wanted }: { people: ExportedPeople; ownerId: string; wanted: string | null },
): Promise<ChosenOwner> {
  const owner = wanted === null ? ownerIn(people, ownerId) : named(people, wanted)
  const { kind, user } = (await judge(ctx, [owner])).get(owner.id) ?? { kind: 'none' }
  if (kind === 'none')
    throw new ImportRefused(
      `${owner.email} has an account whose address is not confirmed, so it may be anybody's: they confirm it first, or name another owner with --owner`,
    )
  if (user && user.status !== 'active')
    throw new ImportRefused(`the account of ${owner.email} is disabled: name another owner with --owner`)
  const isActive = wanted !== null && user !== undefined && user.email_verified_at !== null
  if (!isActive && ctx.config.mail.off)
    throw new ImportRefused(
      `no mail goes from this installation, so ${owner.email} could not accept their invitation: name an owner whose address is confirmed with --owner`,
    )
  return { ...owner, isActive }
}

function ownerIn(people: ExportedPeople, id: string): Omit<ChosenOwner, 'isActive'> {
  const member = people.get(id)?.member
  if (!member) throw new ImportRefused('its owner is none of its members: name one with --owner')
  return { id, ...member }
}

function named(people: ExportedPeople, email: string): Omit<ChosenOwner, 'isActive'> {
  for (const [id, { member }] of people) if (member?.email === email) return { id, ...member }
  return { id: hashedId(email), email, name: email.slice(0, email.lastIndexOf('@')) }
}

/** The people of an export, and its owner where they are not among them. */
export const withOwner = (people: ExportedPeople, { id, email, name }: ChosenOwner): ExportedPeople =>
  people.has(id) ? people : new Map([...people, [id, { member: { email, name } }]])
