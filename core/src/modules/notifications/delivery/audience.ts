import type { Ctx, NotificationDefinition, NotifiedPerson } from '#kernel'
import { listRolesWith } from '../../roles/index.ts'
import { type HoldingRoles, listPeople } from '../queries.ts'
import type { FanOut } from './notice.ts'

/** People who are told in one transaction. */
export const BATCH = 500

/** The next active members who are told, by their ids; fewer than `BATCH` are the last. */
export async function nextPeople(
  ctx: Ctx,
  kind: NotificationDefinition,
  { to, store_id, actor_id, after }: Pick<FanOut, 'to' | 'store_id' | 'actor_id' | 'after'>,
): Promise<NotifiedPerson[]> {
  const { audience, exceptActor } = kind
  if (audience === 'person') {
    const ids = to ?? []
    return listPeople(ctx.tx, ctx.tenantId, { ids, holding: null, except: null, after, limit: BATCH })
  }
  const holding = audience === 'everyone' ? null : await rolesOf(ctx, audience.permission, store_id)
  return listPeople(ctx.tx, ctx.tenantId, {
    ids: null,
    holding,
    except: exceptActor ? actor_id : null,
    after,
    limit: BATCH,
  })
}

async function rolesOf(ctx: Ctx, permission: string, storeId: string | null): Promise<HoldingRoles> {
  const [tenantWide, inStore] = await Promise.all([
    listRolesWith(ctx, permission, null),
    storeId === null ? [] : listRolesWith(ctx, permission, storeId),
  ])
  return { tenantWide, inStore, storeId }
}
