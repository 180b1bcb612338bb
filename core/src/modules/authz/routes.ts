import { at, defineRoute, notFound, permissionDenied } from '#kernel'
import { readMyRights } from './my-rights.ts'
import { explain, NO_PERMISSION } from './operations.ts'
import { Explanation, MyRights, Place, Question } from './schema.ts'

const explainRoute = defineRoute({
  method: 'POST',
  path: '/authz/explain',
  onlyAsks: true,
  name: 'explainPermission',
  summary: 'Ask why something is allowed or not',
  description: 'Answers what a request would meet now, and changes nothing.',
  access: 'self',
  callers: 'all',
  body: Question,
  check: ({ permission }, { registry }) =>
    typeof permission !== 'string' || registry.permissions.has(permission) ? [] : [at('permission', NO_PERMISSION)],
  response: { 200: Explanation },
  errors: [notFound, permissionDenied],
  handler: (ctx, { body }) => explain(ctx, body),
})

const meRoute = defineRoute({
  method: 'GET',
  path: '/authz/me',
  name: 'getMyRights',
  summary: 'Get what you may do, for buttons and menus',
  description:
    'Everything for which `POST /authz/explain` says that it is allowed, in one call: for the whole tenant, or for one store. `version` is the `ETag` and stays the same as long as the rest does, so ask again with `If-None-Match` and keep what you have on 304.',
  access: 'self',
  callers: 'all',
  query: Place,
  response: { 200: MyRights, 304: null },
  errors: [notFound],
  handler: (ctx, { query }) => readMyRights(ctx, query.store_id),
})

export const authzRoutes = [meRoute, explainRoute]
