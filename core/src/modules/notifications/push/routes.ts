import { defineRoute, notFound, type Route } from '#kernel'
import {
  checkSubscription,
  NewPushSubscription,
  PushKey,
  PushSubscription,
  PushSubscriptionParams,
  PushSubscriptionQuery,
} from './schema.ts'
import { readPushKey, subscribe, unsubscribe, unsubscribeEndpoint } from './subscriptions.ts'

const own = { access: 'self', errors: [notFound] } as const // the word is a type

export const pushRoutes: readonly Route[] = [
  defineRoute({
    ...own,
    method: 'GET',
    path: '/notifications/push-key',
    name: 'getPushKey',
    summary: 'Get the key that browsers subscribe with',
    description: '404 where nothing is pushed.',
    response: { 200: PushKey },
    handler: (ctx) => readPushKey(ctx),
  }),
  defineRoute({
    ...own,
    method: 'POST',
    path: '/notifications/push-subscriptions',
    name: 'createPushSubscription',
    summary: 'Have what you are told here pushed to this browser',
    description:
      'Send what `PushSubscription.toJSON()` gives. It lasts as long as your session. The same browser again is the same subscription, so it takes no `Idempotency-Key`. You may have 20; of more the one longest not used is forgotten.',
    body: NewPushSubscription,
    check: checkSubscription,
    idempotent: false, // it belongs to the session; the same browser again is the same subscription anyway
    response: { 201: PushSubscription },
    handler: (ctx, { body }) => subscribe(ctx, body),
  }),
  defineRoute({
    ...own,
    method: 'DELETE',
    path: '/notifications/push-subscriptions',
    name: 'deletePushSubscriptionByEndpoint',
    summary: 'Have nothing pushed to a browser any more, by its address',
    query: PushSubscriptionQuery,
    response: { 204: null },
    handler: (ctx, { query }) => unsubscribeEndpoint(ctx, query.endpoint),
  }),
  defineRoute({
    ...own,
    method: 'DELETE',
    path: '/notifications/push-subscriptions/:id',
    name: 'deletePushSubscription',
    summary: 'Have nothing pushed to a browser any more',
    params: PushSubscriptionParams,
    response: { 204: null },
    handler: (ctx, { params }) => unsubscribe(ctx, params.id),
  }),
]
