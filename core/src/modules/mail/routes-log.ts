import { conflict, defineRoute, Page, type Route, unavailable } from '#kernel'
import { cancelMail, pageMails, readMail, resendMail } from './log.ts'
import { Mail, MailParams, MailQuery, MailSuppression, SuppressionParams, SuppressionQuery } from './schema.ts'
import { pageSuppressions, removeSuppression } from './suppressions.ts'

const view = { permission: 'mail.view' }
const manage = { permission: 'mail.manage' }

export const logRoutes: readonly Route[] = [
  defineRoute({
    method: 'GET',
    path: '/mails',
    summary: 'List mails and what became of them',
    description: 'Newest first. What they say, and the links in them, are shown nowhere.',
    access: view,
    query: MailQuery,
    response: { 200: Page(Mail) },
    handler: (ctx, { query }) => pageMails(ctx, query),
  }),
  defineRoute({
    method: 'GET',
    path: '/mails/:id',
    summary: 'Get a mail and what became of it',
    access: view,
    params: MailParams,
    response: { 200: Mail },
    handler: (ctx, { params }) => readMail(ctx, params.id),
  }),
  defineRoute({
    method: 'POST',
    path: '/mails/:id/resend',
    summary: 'Send a mail once more',
    description:
      'Answers with the copy, which has a row of its own: `resend_of` names the first. Possible for a week, once the mail has left or was stopped, while what it says is of use. Copies count towards the few mails of a kind that an address gets in an hour, and wait where there were as many.',
    access: manage,
    params: MailParams,
    response: { 201: Mail },
    errors: [conflict, unavailable],
    location: ({ id }) => `/api/v1/mails/${id}`,
    handler: (ctx, { params }) => resendMail(ctx, params.id),
  }),
  defineRoute({
    method: 'POST',
    path: '/mails/:id/cancel',
    summary: 'Stop a mail before it leaves',
    description:
      'Not while it is just being sent: then the mail server may have it already. Not either what tells somebody that something happened to their account, their keys or their company.',
    access: manage,
    params: MailParams,
    response: { 200: Mail },
    errors: [conflict],
    handler: (ctx, { params }) => cancelMail(ctx, params.id),
  }),
  defineRoute({
    method: 'GET',
    path: '/mails/suppressions',
    summary: 'List the addresses that mails do not go to',
    description: 'Newest first. An address gets there when nobody is at it, or when its owner calls a mail unwanted.',
    access: manage,
    query: SuppressionQuery,
    response: { 200: Page(MailSuppression) },
    handler: (ctx, { query }) => pageSuppressions(ctx, query),
  }),
  defineRoute({
    method: 'DELETE',
    path: '/mails/suppressions/:id',
    summary: 'Let mails go to an address again',
    access: manage,
    params: SuppressionParams,
    response: { 204: null },
    handler: (ctx, { params }) => removeSuppression(ctx, params.id),
  }),
]
