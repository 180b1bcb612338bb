import { type Ctx, onBehalfOf, within } from '#kernel'
import { userRemoved } from '../../members/index.ts'
import { lockLivingKeysOf, updateKey } from '../queries.ts'
import { holdsIn, rightsOf } from './rights.ts'

/**
 * A key survives its maker. What they hold at the moment they leave is written down together with their leaving, so that
 * there is no moment at which it holds nothing, and none at which it holds more.
 */
export const freezeRights = within(userRemoved, 'api_keys.freeze_rights', async (ctx, { resourceId }) => {
  if (resourceId !== null) await freeze(ctx, resourceId)
})

async function freeze(ctx: Ctx, userId: string): Promise<void> {
  const keys = await lockLivingKeysOf(ctx.tx, ctx.tenantId, userId)
  if (keys.length === 0) return
  const holds = holdsIn(await onBehalfOf(ctx, userId))
  for (const key of keys) await updateKey(ctx.tx, key, { frozen_rights: rightsOf(ctx, key, holds) })
}
