import { Closed, defineEvent, defineModule, defineRoute, stamp, type TenantRow, Type, Uuid } from '#kernel'
import { stores } from '../src/modules/stores/index.ts'

declare module '#kernel' {
  interface Tables {
    tills: TenantRow & { store_id: string; label: string; coins: number; counted_at: string | null }
  }
}

const Till = Closed({ id: Uuid, store_id: Uuid, label: Type.String(), coins: Type.Integer() })
const tillOpened = defineEvent('till.opened', { description: 'A till was opened', data: Till })

/** An application's module that leaves all rules to its table and says nothing of what becomes of their violations. */
export const tills = defineModule({
  name: 'tills',
  dependsOn: [stores],
  migrations: new URL('./till-migrations/', import.meta.url),
  permissions: { 'till.open': 'Open tills' },
  events: [tillOpened],
  routes: [
    defineRoute({
      method: 'POST',
      path: '/tills',
      summary: 'Open a till',
      access: { permission: 'till.open' },
      body: Closed({ store_id: Uuid, label: Type.String(), coins: Type.Integer() }),
      response: { 201: Till },
      handler: async (ctx, { body }) => {
        const row = { ...stamp(ctx), ...body, counted_at: null }
        await ctx.tx.insertInto('tills').values(row).execute()
        await ctx.emit(tillOpened, { after: row, storeId: body.store_id })
        return row
      },
    }),
  ],
})
