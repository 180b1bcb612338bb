import {
  Closed,
  defineEvent,
  defineModule,
  defineRoute,
  ListQuery,
  Nullable,
  Page,
  page,
  stamp,
  type TenantRow,
  Timestamp,
  Type,
  Uuid,
} from '#kernel'
import { stores } from '../src/modules/stores/index.ts'

declare module '#kernel' {
  interface Tables {
    tills: TenantRow & { store_id: string; label: string; coins: number; counted_at: string | null }
  }
}

const Till = Closed({ id: Uuid, store_id: Uuid, label: Type.String(), coins: Type.Integer() })
const tillOpened = defineEvent('till.opened', { description: 'A till was opened', data: Till })

const Counted = Closed({ ...Till.properties, counted_at: Nullable(Timestamp) })
const COLUMNS = ['store_id', 'label', 'coins', 'counted_at', 'id'] as const

/** `counted_at asc,id desc` as `page` wants it; `!` says that a column is never null. */
const orderOf = (order: string) =>
  order.split(',').map((each) => {
    const [name, direction] = each.replace('!', '').split(' ')
    const column = COLUMNS.find((known) => known === name) ?? 'id'
    return { column, as: column, direction: direction === 'asc' ? 'asc' : 'desc', notNull: each.endsWith('!') } as const
  })

/** An application's module that leaves all rules to its table and says nothing of what becomes of their violations. */
export const tills = defineModule({
  name: 'tills',
  dependsOn: [stores],
  migrations: new URL('./till-migrations/', import.meta.url),
  permissions: { 'till.open': 'Open tills' },
  events: [tillOpened],
  routes: [
    defineRoute({
      method: 'GET',
      path: '/tills',
      summary: 'List the tills of a store, in any order',
      access: { permission: 'till.open' },
      query: ListQuery({ store_id: Uuid, order: Type.String() }),
      response: { 200: Page(Counted) },
      handler: (ctx, { query }) => {
        const mine = ctx.tx.selectFrom('tills').selectAll().where('tenant_id', '=', ctx.tenantId)
        return page(ctx, mine.where('store_id', '=', query.store_id), { by: orderOf(query.order) })
      },
    }),
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
