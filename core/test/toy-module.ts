import Type from 'typebox'
import {
  Closed,
  type Ctx,
  defineEvent,
  defineModule,
  defineRoute,
  ListQuery,
  notFound,
  on,
  Page,
  page,
  stamp,
  type TenantRow,
  Timestamp,
  Uuid,
} from '#kernel'
import { claim, claims } from '../src/kernel/access/sign-in.fixture.ts'

export interface ToyTable extends TenantRow {
  name: string
  noticed: boolean
}

declare module '#kernel' {
  interface Tables {
    toys: ToyTable
  }
}

export const Toy = Closed(
  {
    id: Uuid,
    tenant_id: Uuid,
    name: Type.String(),
    noticed: Type.Boolean(),
    created_at: Timestamp,
    updated_at: Timestamp,
  },
  { title: 'Toy' },
)

const toyCreated = defineEvent('toy.created', { description: 'A toy was made', data: Toy })

const getToy = async (ctx: Ctx, id: string) => {
  const row = await ctx.tx
    .selectFrom('toys')
    .selectAll()
    .where('tenant_id', '=', ctx.tenantId)
    .where('id', '=', id)
    .executeTakeFirst()
  if (!row) throw notFound()
  return row
}

const tenantOf = (name: string) => `00000000-0000-7000-8000-${Buffer.from(name).toString('hex').padStart(12, '0')}`

/** Signs people in by nothing but a name: `token('a')` is a person of tenant a. */
export const builtinAuthForTests = {
  token: (name: string) => claim({ tenantId: tenantOf(name), userId: tenantOf(name), label: name }),
  tenant: tenantOf,
}

/** The smallest application: one table, three routes, an event, a listener, and answers to the kernel's questions. */
export const toy = defineModule({
  name: 'toy',
  migrations: new URL('./toy-migrations/', import.meta.url),
  permissions: { 'toy.view': 'See toys', 'toy.create': 'Make toys' },
  events: [toyCreated],
  authenticators: [claims],
  grants: [async () => [{ permissions: ['toy.view', 'toy.create'], storeId: null, roleId: 'x', role: 'x' }]],
  listeners: [
    on(toyCreated, 'toy.notice', async (ctx, event) => {
      await ctx.tx
        .updateTable('toys')
        .set({ noticed: true })
        .where('tenant_id', '=', ctx.tenantId)
        .where('id', '=', event.resourceId ?? '')
        .execute()
    }),
  ],
  routes: [
    defineRoute({
      method: 'POST',
      path: '/toys',
      summary: 'Make a toy',
      access: { permission: 'toy.create' },
      body: Closed({ name: Type.String({ minLength: 1, maxLength: 100 }) }),
      response: { 201: Toy },
      handler: async (ctx, { body }) => {
        const row = { ...stamp(ctx), name: body.name, noticed: false }
        await ctx.tx.insertInto('toys').values(row).execute()
        await ctx.emit(toyCreated, { after: row })
        return row
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/toys/:id',
      summary: 'Look at a toy',
      access: { permission: 'toy.view' },
      response: { 200: Toy },
      handler: async (ctx, { params }) => getToy(ctx, params.id ?? ''),
    }),
    defineRoute({
      method: 'GET',
      path: '/toys',
      summary: 'List toys',
      access: { permission: 'toy.view' },
      query: ListQuery({}),
      response: { 200: Page(Toy) },
      handler: (ctx) => page(ctx, ctx.tx.selectFrom('toys').selectAll().where('tenant_id', '=', ctx.tenantId)),
    }),
  ],
})
