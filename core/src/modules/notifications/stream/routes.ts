import { defineRoute, type Route, rateLimited, type StreamBody, Type, unavailable } from '#kernel'
import { openStream } from './open-stream.ts'
import { EventStreamText, StreamHeaders, StreamQuery } from './schema.ts'

export const streamRoutes: readonly Route[] = [
  defineRoute({
    method: 'GET',
    path: '/notifications/stream',
    name: 'streamNotifications',
    summary: 'Hear of what you are told as it comes',
    description:
      'Server-sent events. `notification` carries one, under its id; `unread` says how many are unread, at first and whenever that changes. After a break send the last id as `Last-Event-ID`: nothing is left out, and something may come twice where that one is gone. A line beginning with `:` says every 20 seconds that the stream is alive. Before it ends by itself `end` says why, in the words of errors: `access_token_expired` a moment before the token does, `session_revoked`, `unavailable`. Without `Last-Event-ID` it begins with what comes from now on, so open it before you list. A person holds at most 10 open.',
    access: 'self',
    headers: StreamHeaders,
    query: StreamQuery,
    produces: 'text/event-stream',
    transaction: 'manual',
    response: { 200: Type.Unsafe<StreamBody>(EventStreamText) },
    errors: [rateLimited, unavailable],
    handler: (ctx, { headers, query }) =>
      openStream(ctx, { lastId: headers['last-event-id'], waitSeconds: query.wait }),
  }),
]
