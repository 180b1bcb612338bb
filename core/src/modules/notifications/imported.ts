import { Value } from 'typebox/value'
import { Closed, type Ctx, type ImportRule, type RestoreRule, Type } from '#kernel'
import { upsertAllCounts } from './queries.ts'
import { QuietHours } from './schema.ts'

/** Notifications of a tenant that comes from elsewhere: of kinds that there are here, with what their texts are written from. */
export const importedNotifications: ImportRule = {
  anew({ registry }, { kind, type, data }) {
    const known = registry.notifications.get(String(kind))
    return known && known.type === type && Value.Check(known.data, data) ? {} : null
  },
  completed: recount,
}

/** What was read or put away since stays so. */
export const restoredNotifications: RestoreRule = { isMissingOnly: true, keepsExtra: true, completed: recount }

async function recount(ctx: Ctx): Promise<void> {
  await upsertAllCounts(ctx.tx, ctx.tenantId, ctx.clock.now())
}

const Choice = Closed({
  channels: Type.Optional(Type.Record(Type.String({ maxLength: 60 }), Type.Boolean())),
  digest: Type.Optional(Type.Boolean()),
})

export const importedPreferences: ImportRule = {
  columns: { kinds: Type.Record(Type.String({ maxLength: 100 }), Choice), quiet_hours: QuietHours },
}
