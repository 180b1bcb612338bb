import { defineRoute, notFound, permissionDenied } from '#kernel'
import { explain } from './operations.ts'
import { Explanation, Question } from './schema.ts'

export const explainRoute = defineRoute({
  method: 'POST',
  path: '/authz/explain',
  summary: 'Ask why something is allowed or not',
  description: 'Answers what a request would meet now, and changes nothing.',
  access: 'self',
  body: Question,
  response: { 200: Explanation },
  errors: [notFound, permissionDenied],
  handler: (ctx, { body }) => explain(ctx, body),
})
