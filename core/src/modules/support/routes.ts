import { atQuery, defineRoute, type FieldProblem, notFound } from '#kernel'
import { answerSupport } from './operations.ts'
import { SupportAnswer, SupportQuery } from './schema.ts'

const supportRoute = defineRoute({
  method: 'GET',
  path: '/admin/support',
  name: 'explainTickets',
  summary: 'Ask what explains a ticket about an address',
  description:
    'Findings with what to do about each, the likeliest first, and what they rest on. An address without an account gets an answer as well. That you looked is recorded in the log of the installation.',
  access: { operator: ['support', 'billing', 'operations'] },
  transaction: 'manual',
  entersTenants: true,
  rateLimit: 'support_answers',
  query: SupportQuery,
  checkQuery: ({ tenant_id, store_id, permission }, { registry }) => {
    const problems: FieldProblem[] = []
    if (tenant_id === undefined)
      for (const [name, value] of Object.entries({ store_id, permission }))
        if (value !== undefined) problems.push(atQuery(name, 'takes a tenant_id'))
    if (typeof permission === 'string' && !registry.permissions.has(permission))
      problems.push(atQuery('permission', 'is not a permission'))
    return problems
  },
  response: { 200: SupportAnswer },
  errors: [notFound],
  handler: (ctx, { query }) => answerSupport(ctx, query),
})

export const supportRoutes = [supportRoute]
