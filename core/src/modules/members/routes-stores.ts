import { Answer, defineRoute, ListQuery, Page, page } from '#kernel'
import { getStore } from '../stores/index.ts'
import { giveRole, takeStoreRoles } from './member-roles.ts'
import { getMember, narrowRoles, presentMembers } from './present.ts'
import { listMembers, NEWEST_FIRST } from './queries.ts'
import { Member, StoreParams, StoreRole, UserOfStoreQuery } from './schema.ts'
import { membersOfStores } from './visible-members.ts'

const listStoreUsers = defineRoute({
  method: 'GET',
  path: '/stores/:id/users',
  summary: 'List the people with a role in a store',
  description: 'People whose roles are for the whole tenant are not among them unless they have one in this store too.',
  access: { permission: 'user.view', store: { named: 'params/id', rows: membersOfStores } },
  params: StoreParams,
  query: ListQuery({}),
  response: { 200: Page(Member) },
  handler: async (ctx, { params }) => {
    await getStore(ctx.tx, ctx.tenantId, params.id)
    const stores = ctx.storesWith('user.view')
    const filter = { store_id: params.id, stores: stores ?? undefined }
    const rows = await page(ctx, listMembers(ctx.tx, ctx.tenantId, filter), NEWEST_FIRST)
    return { data: await presentMembers(ctx, rows.data, stores), next_cursor: rows.next_cursor }
  },
})

const addStoreUser = defineRoute({
  method: 'POST',
  path: '/stores/:id/users',
  name: 'addStoreUser',
  summary: 'Give a person of the tenant a role in a store',
  access: { permission: 'role.assign', store: 'id' },
  params: StoreParams,
  body: StoreRole,
  response: { 201: Member },
  handler: async (ctx, { params, body }) => {
    await giveRole(ctx, body.user_id, { role_id: body.role_id, store_id: params.id })
    const member = narrowRoles(await getMember(ctx, body.user_id), ctx.storesWith('role.assign'))
    return new Answer(201, member, { location: `/api/v1/stores/${params.id}/users` })
  },
})

const removeStoreUser = defineRoute({
  method: 'DELETE',
  path: '/stores/:id/users',
  name: 'removeStoreUser',
  summary: 'Take all roles in a store from a person',
  access: { permission: 'role.assign', store: 'id' },
  params: StoreParams,
  query: UserOfStoreQuery,
  response: { 204: null },
  handler: async (ctx, { params, query }) => {
    await takeStoreRoles(ctx, query.user_id, params.id)
    return undefined
  },
})

export const storeRoutes = [listStoreUsers, addStoreUser, removeStoreUser]
