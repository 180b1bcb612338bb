import { type Ctx, type Founder, stamp } from '#kernel'
import { insertAssignment, insertRoles } from './queries.ts'
import { SYSTEM_ROLES } from './system-roles.ts'

/** Gives a new tenant the system roles and makes its founder the owner. */
export async function foundRoles(ctx: Ctx, founder: Founder): Promise<void> {
  // Lists show the newest id first, so inserting in reverse puts `owner` at the top.
  const roles = SYSTEM_ROLES.toReversed().map(({ key, scope, description }) => ({
    ...stamp(ctx),
    key,
    name: key,
    name_key: key,
    description,
    scope,
    is_system: true,
    permissions: [],
  }))
  await insertRoles(ctx.tx, roles)
  const owner = roles.at(-1)!.id // the list above is never empty
  await insertAssignment(ctx.tx, { ...stamp(ctx), user_id: founder.userId, role_id: owner, store_id: null })
}
