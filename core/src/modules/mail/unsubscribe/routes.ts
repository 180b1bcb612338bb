import {
  atQuery,
  Closed,
  type Ctx,
  defineRoute,
  invalidRequest,
  notFound,
  type Route,
  systemActor,
  Type,
} from '#kernel'
import { UNSUBSCRIBE_PATH } from './offer.ts'
import { readUnsubscribeToken } from './tokens.ts'

/** What RFC 8058 has programs send, in a form of either content type. */
const ONE_CLICK = ['List-Unsubscribe', 'One-Click']
const BODY_LIMIT = 4 * 1024

export const unsubscribeRoutes: readonly Route[] = [
  defineRoute({
    method: 'POST',
    root: true,
    path: UNSUBSCRIBE_PATH,
    name: 'unsubscribe',
    summary: 'End the mails of a kind by the link of one of them',
    description:
      'For mail programs (RFC 8058): the body is the form `List-Unsubscribe=One-Click`, of either content type. Needs no sign-in, and may be sent again. Mails that concern the security of an account cannot be ended.',
    access: 'public',
    transaction: 'manual',
    query: Closed({
      token: Type.String({
        maxLength: 400,
        description: 'What the link carries: it names the tenant, the person and the kind',
      }),
    }),
    raw: true,
    bodyLimit: BODY_LIMIT,
    response: {
      200: Closed({ unsubscribed: Type.Boolean({ description: 'Always true: no more such mails are sent' }) }),
    },
    errors: [notFound],
    handler: async (ctx, { query: { token }, raw }) => {
      // A program that merely tries out the addresses of a mail does not say so.
      if (!ONE_CLICK.every((word) => raw.includes(word)))
        throw invalidRequest({ detail: 'The body must be the form List-Unsubscribe=One-Click' })
      await endMails(ctx, token)
      return { unsubscribed: true }
    },
  }),
]

async function endMails(ctx: Ctx, token: string): Promise<void> {
  const { unsubscribers } = ctx.registry
  if (!unsubscribers) throw notFound()
  const ended = readUnsubscribeToken(ctx, token)
  if (!ended) throw invalidRequest({ errors: [atQuery('token', 'is not one of ours, or not complete')] })
  const { tenantId, ...subscription } = ended
  // Nobody has signed in: records name how it came about.
  const reader = ctx.as({ ...systemActor, label: 'link of a mail' })
  await reader.transaction((inner) => unsubscribers.unsubscribe(inner, subscription), { tenantId })
}
