import { type Ctx, type Founder, stamp } from '#kernel'
import { insertAssignment, insertRoles } from './queries.ts'
import { SYSTEM_ROLES } from './system-roles.ts'

/** A new tenant gets the system roles, and its founder is the owner. */
export async function foundRoles(ctx: Ctx, founder: Founder): Promise<void> {
  // Ids ascend and lists show the newest first: so `owner` leads the list.
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
