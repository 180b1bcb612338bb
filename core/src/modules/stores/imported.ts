import { type Ctx, type ImportRule, type ImportTools, importableSettings, Type } from '#kernel'
import { openStore } from './operations.ts'
import { findDefault, updateOldestToDefault } from './queries.ts'
import { Address, NewStore } from './schema.ts'

const { name, code, status, phone, email, timezone, is_default } = NewStore.properties

/** What is taken of the stores of a tenant that comes from elsewhere: what a request could say. */
export const importedStores: ImportRule = {
  columns: {
    ...{ name, code, status, phone, email, timezone, is_default },
    address: Type.Union([Address, Type.Null()]),
  },
  problem(tools, { code, settings }) {
    if (code !== String(code).toUpperCase()) return 'its code is not in upper case'
    const read = importableSettings(tools, 'store', settings)
    return 'problem' in read ? read.problem : null
  },
  anew: (tools, { settings }) => ({ settings: settingsOf(tools, settings) }),
  completed: ensureDefault,
}

function settingsOf(tools: ImportTools, settings: unknown): unknown {
  const read = importableSettings(tools, 'store', settings)
  return 'settings' in read ? read.settings : {}
}

/** A tenant has exactly one default store, and the database sees to it that there are not two. */
async function ensureDefault(ctx: Ctx): Promise<void> {
  if (await findDefault(ctx.tx, ctx.tenantId)) return
  if (await updateOldestToDefault(ctx.tx, ctx.tenantId, ctx.clock.now())) return
  await openStore(ctx, { name: 'Main', is_default: true })
}
