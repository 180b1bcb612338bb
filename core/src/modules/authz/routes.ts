import { at, defineRoute, notFound, permissionDenied } from '#kernel'
import { explain, NO_PERMISSION } from './operations.ts'
import { Explanation, Question } from './schema.ts'

const explainRoute = defineRoute({
  method: 'POST',
  path: '/authz/explain',
  onlyAsks: true,
  name: 'explainPermission',
  summary: 'Ask why something is allowed or not',
  description: 'Answers what a request would meet now, and changes nothing.',
  access: 'self',
  body: Question,
  check: ({ permission }, { registry }) =>
    typeof permission !== 'string' || registry.permissions.has(permission) ? [] : [at('permission', NO_PERMISSION)],
  response: { 200: Explanation },
  errors: [notFound, permissionDenied],
  handler: (ctx, { body }) => explain(ctx, body),
})

export const authzRoutes = [explainRoute]
