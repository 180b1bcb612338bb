import { conflict, defineRoute, Page, page } from '#kernel'
import { changeMember, removeMember } from './change-member.ts'
import { lastOwner } from './errors.ts'
import { getVisibleMember, presentMembers } from './present.ts'
import { listMembers, NEWEST_FIRST } from './queries.ts'
import { Member, MemberPatch, MemberQuery, UserParams } from './schema.ts'
import { membersOfStores } from './visible-members.ts'

const listMembersRoute = defineRoute({
  method: 'GET',
  path: '/users',
  summary: 'List the people of the tenant, invited ones included',
  description: 'Whoever may see people only in some stores is shown those who have a role in one of them.',
  access: { permission: 'user.view', store: { rows: membersOfStores } },
  query: MemberQuery,
  response: { 200: Page(Member) },
  handler: async (ctx, { query }) => {
    const filter = { ...query, stores: ctx.stores ?? undefined }
    const rows = await page(ctx, listMembers(ctx.tx, ctx.tenantId, filter), NEWEST_FIRST)
    return { data: await presentMembers(ctx, rows.data, ctx.stores), next_cursor: rows.next_cursor }
  },
})

const showMember = defineRoute({
  method: 'GET',
  path: '/users/:id',
  summary: 'Look at one person of the tenant',
  access: { permission: 'user.view', store: { rows: membersOfStores } },
  params: UserParams,
  response: { 200: Member },
  handler: (ctx, { params }) => getVisibleMember(ctx, params.id),
})

const updateMember = defineRoute({
  method: 'PUT',
  path: '/users/:id',
  summary: 'Change a membership, or disable and enable it',
  description:
    'What belongs to the person (e-mail, password, second factor) is theirs alone. Nobody changes or disables somebody who holds more than they do themselves; only an owner an owner.',
  access: { permission: 'user.update' },
  params: UserParams,
  body: MemberPatch,
  response: { 200: Member },
  errors: [lastOwner, conflict],
  handler: (ctx, { params, body }) => changeMember(ctx, params.id, body),
})

const deleteMember = defineRoute({
  method: 'DELETE',
  path: '/users/:id',
  summary: 'End a membership',
  description:
    'The account stays, and so do the person’s other tenants; invitations that they have sent end. Nobody ends the membership of somebody who holds more than they do themselves; only an owner that of an owner.',
  access: { permission: 'user.delete' },
  impersonation: 'refused',
  params: UserParams,
  response: { 204: null },
  errors: [lastOwner],
  handler: async (ctx, { params }) => {
    await removeMember(ctx, params.id)
    return undefined
  },
})

export const memberRoutes = [listMembersRoute, showMember, updateMember, deleteMember]
