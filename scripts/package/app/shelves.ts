// A module of an application that has nothing but the installed package.
import {
  Closed,
  type Ctx,
  defineEvent,
  defineModule,
  defineRoute,
  Line,
  notFound,
  on,
  stamp,
  type TenantRow,
  Timestamp,
  Type,
  Uuid,
} from 'tenantry'
import { storeCreated, stores } from 'tenantry/stores'

export interface ShelfTable extends TenantRow {
  store_id: string
  name: string
}

declare module 'tenantry' {
  interface Tables {
    shelves: ShelfTable
  }
}

const name = Line(200, 'By the window')
const Shelf = Closed(
  { id: Uuid, tenant_id: Uuid, store_id: Uuid, name, created_at: Timestamp, updated_at: Timestamp },
  { title: 'Shelf' },
)
const shelfPutUp = defineEvent('shop.shelf.put_up', { description: 'A shelf was put up', data: Shelf })

/** The tables of built-in modules are known by their columns, and what is no table is not. */
export async function nameOfStore(ctx: Ctx, id: string): Promise<string> {
  // @ts-expect-error no module declares this table
  ctx.tx.selectFrom('no_such_table')
  const store = await ctx.tx
    .selectFrom('stores')
    .select(['name', 'status'])
    .where('tenant_id', '=', ctx.tenantId)
    .where('id', '=', id)
    .executeTakeFirstOrThrow(() => notFound())
  const status: 'active' | 'inactive' = store.status
  return `${store.name} (${status})`
}

/** So are those of modules of which nothing else is imported here. */
export async function listNames(ctx: Ctx): Promise<string[]> {
  const members = await ctx.tx.selectFrom('members').select('name').where('tenant_id', '=', ctx.tenantId).execute()
  return members.map(({ name }) => name)
}

async function putUp(ctx: Ctx, storeId: string, text: string) {
  const shelf = { ...stamp(ctx), store_id: storeId, name: text }
  await ctx.tx.insertInto('shelves').values(shelf).execute()
  await ctx.emit(shelfPutUp, { after: shelf, storeId })
  return shelf
}

export const shelves = defineModule({
  name: 'shelves',
  dependsOn: [stores],
  migrations: new URL('./migrations/', import.meta.url),
  permissions: { 'shelf.create': 'Put up shelves' },
  events: [shelfPutUp],
  listeners: [
    on(storeCreated, 'shelves.first', async (ctx, { storeId }) => {
      if (storeId) await putUp(ctx, storeId, `The first of ${await nameOfStore(ctx, storeId)}`)
    }),
  ],
  routes: [
    defineRoute({
      method: 'POST',
      path: '/shelves',
      summary: 'Put up a shelf',
      access: { permission: 'shelf.create' },
      body: Closed({ store_id: Uuid, name }),
      response: { 201: Type.Object({ id: Uuid, store: Type.String() }, { additionalProperties: false }) },
      errors: [notFound],
      handler: async (ctx, { body }) => {
        const store = await nameOfStore(ctx, body.store_id)
        return { id: (await putUp(ctx, body.store_id, body.name)).id, store }
      },
    }),
  ],
})
