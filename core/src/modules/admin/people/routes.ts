import { type Ctx, conflict, defineRoute, Page, permissionDenied, type Route, Streamed } from '#kernel'
import { answerList, asFile } from '../list-file.ts'
import { changePerson, disable, enable, revokeSessions } from './acts.ts'
import { peopleList, readPerson } from './people.ts'
import { AccountChanges, AdminUser, ListedUser, UserParams, UserQuery } from './schema.ts'

const anyOperator = { operator: ['support', 'billing', 'operations'] } as const // words are types
/** What is done to one person. */
const toPerson = {
  access: { operator: ['operations'] },
  params: UserParams,
  response: { 200: AdminUser },
} as const // as above

const listRoute = defineRoute({
  method: 'GET',
  path: '/admin/users',
  name: 'listAllUsers',
  summary: 'List all people',
  description:
    'The newest first. With `Accept: text/csv` all that the filters let through come as one file, whatever `limit` and `cursor` say; that is recorded.',
  access: anyOperator,
  ...asFile(Page(ListedUser)),
  query: UserQuery,
  response: { 200: Streamed },
  handler: (ctx, { query, headers }) => answerList(ctx, headers, peopleList(query)),
})

const getRoute = defineRoute({
  ...toPerson,
  method: 'GET',
  path: '/admin/users/:id',
  name: 'inspectUser',
  summary: 'Get a person with what they belong to and whether they get in',
  access: anyOperator,
  handler: (ctx, { params }) => readPerson(ctx, params.id),
})

const updateRoute = defineRoute({
  ...toPerson,
  method: 'PUT',
  path: '/admin/users/:id',
  name: 'changeUser',
  summary: 'Change the name of a person, or whether their address counts as confirmed',
  description:
    '403 for a super admin, unless by one. 409 for the address of the last super admin who can sign in. Their address, password and second factor are theirs to change.',
  body: AccountChanges,
  errors: [permissionDenied, conflict],
  handler: async (ctx, { params, body }) => {
    await changePerson(ctx, params.id, body)
    return readPerson(ctx, params.id)
  },
})

interface Act {
  /** The last part of the path. */
  verb: 'disable' | 'enable' | 'revoke-sessions'
  name: string
  summary: string
  description: string
  act: (ctx: Ctx, userId: string) => Promise<unknown>
}

const actRoute = ({ verb, act, ...told }: Act) =>
  defineRoute({
    ...toPerson,
    ...told,
    method: 'POST',
    path: `/admin/users/:id/${verb}`,
    errors: verb === 'disable' ? [permissionDenied, conflict] : [permissionDenied],
    handler: async (ctx, { params }) => {
      await act(ctx, params.id)
      return readPerson(ctx, params.id)
    },
  })

export const peopleRoutes: readonly Route[] = [
  listRoute,
  getRoute,
  updateRoute,
  actRoute({
    verb: 'disable',
    name: 'disableUser',
    summary: 'Keep a person from signing in anywhere',
    description:
      'From the next request on their sessions are over, and API keys that act with their rights get 401. Nothing is lost, and keys of those who have left a tenant go on. 409 for oneself and for the last super admin who can sign in, 403 for a super admin, unless by one. Again: nothing changes.',
    act: disable,
  }),
  actRoute({
    verb: 'enable',
    name: 'enableUser',
    summary: 'Let a disabled person sign in again',
    description: 'Their API keys are good again, their sessions stay over. Again: nothing changes.',
    act: enable,
  }),
  actRoute({
    verb: 'revoke-sessions',
    name: 'revokeUserSessions',
    summary: 'Sign a person out everywhere',
    description:
      'From the next request on in every process. Their password and API keys stay as they are. 403 for a super admin, unless by one.',
    act: revokeSessions,
  }),
]
