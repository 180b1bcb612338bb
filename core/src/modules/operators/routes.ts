import { conflict, defineRoute, notFound, Page, type Route } from '#kernel'
import { appointOperator, browseOperators, removeOperator } from './operations.ts'
import { NewOperator, Operator, OperatorParams, OperatorQuery } from './schema.ts'

export const operatorRoutes: readonly Route[] = [
  defineRoute({
    method: 'GET',
    path: '/admin/operators',
    name: 'listOperators',
    summary: 'List those who run the installation',
    description: 'The newest account first.',
    access: 'superAdmin',
    query: OperatorQuery,
    response: { 200: Page(Operator) },
    handler: (ctx) => browseOperators(ctx),
  }),
  defineRoute({
    method: 'POST',
    path: '/admin/operators',
    name: 'setOperator',
    summary: 'Make a person an operator, or say anew what one may do',
    description:
      'The person has an account; 404 otherwise, and 409 as long as they have not confirmed their address. What they may do counts from the next request on. Somebody who can sign in always has `all`: 409 for whoever is the last.',
    access: 'superAdmin',
    body: NewOperator,
    response: { 201: Operator },
    errors: [notFound, conflict],
    handler: (ctx, { body }) => appointOperator(ctx, body),
  }),
  defineRoute({
    method: 'DELETE',
    path: '/admin/operators/:user_id',
    name: 'removeOperator',
    summary: 'Take all roles from an operator',
    description: 'Their account stays. 409 for the last one with `all`.',
    access: 'superAdmin',
    params: OperatorParams,
    response: { 204: null },
    errors: [conflict],
    handler: (ctx, { params }) => removeOperator(ctx, params.user_id),
  }),
]
