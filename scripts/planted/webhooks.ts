import type { Plant } from './plant.ts'

const WEBHOOKS = 'core/src/modules/webhooks'
const DELIVERIES = `${WEBHOOKS}/deliveries`
const FEED = 'core/src/kernel/feed'
const feed = ['core/test/kernel-feed.test.ts']
const published = ['core/src/kernel/events/published.test.ts']

export const plants: Plant[] = [
  {
    guard: 'Events take their places in the order of commits',
    file: `${FEED}/publish.ts`,
    find: 'set position = h.position + excluded.position',
    replace: 'set position = h.position + excluded.position + 1',
    tests: feed,
  },
  {
    guard: 'No secret goes out with an event, in lists neither',
    file: 'core/src/kernel/events/published.ts',
    find: 'schema.secret === true || isSecret(schema.items)',
    replace: 'schema.secret === true',
    tests: published,
  },
  {
    guard: 'What a schema does not name does not go out',
    file: 'core/src/kernel/events/published.ts',
    find: 'own === undefined || isSecret(own)',
    replace: 'own !== undefined && isSecret(own)',
    tests: published,
  },
  {
    guard: 'A webhook gets no event of a store that it does not name',
    file: `${DELIVERIES}/delivery-queries.ts`,
    find: 'and (w.store_ids is null or e.store_id = any(w.store_ids))',
    replace: '',
    tests: [`${WEBHOOKS}/filters.test.ts`],
  },
  {
    guard: 'Only a 2xx takes a message',
    file: 'core/src/kernel/outbound/deliveries.ts',
    find: 'status >= 200 && status < 300',
    replace: 'status >= 200 && status < 400',
    tests: [`${DELIVERIES}/answers.test.ts`],
  },
  {
    guard: 'A receiver that is gone gets nothing more',
    file: `${DELIVERIES}/standing.ts`,
    find: 'const isDisabled = isGone || isPast(1)',
    replace: 'const isDisabled = isPast(1)',
    tests: [`${DELIVERIES}/retry-after.test.ts`],
  },
  {
    guard: 'What is put on its way again while it is sent is sent again',
    file: `${DELIVERIES}/delivery-queries.ts`,
    find: 'status = case when d.next_attempt_at = c.due then c.status else d.status end',
    replace: 'status = c.status',
    tests: [`${WEBHOOKS}/races.test.ts`],
  },
  {
    guard: 'Whoever asks for a replay at the same time asks once',
    file: `${DELIVERIES}/replay-queries.ts`,
    find: "where w.status <> 'pending'",
    replace: '',
    tests: [`${WEBHOOKS}/races.test.ts`],
  },
  {
    guard: 'No header of HTTP or of the signature is replaced by one of a webhook',
    file: `${WEBHOOKS}/headers.ts`,
    find: 'RESERVED.has(lower) ||',
    replace: '',
    tests: [`${WEBHOOKS}/headers.test.ts`],
  },
  {
    guard: 'Values of headers are never shown',
    file: `${WEBHOOKS}/present.ts`,
    find: '[name, HIDDEN]',
    replace: '[name, row.headers ?? name]',
    tests: [`${WEBHOOKS}/secrecy.test.ts`, `${WEBHOOKS}/headers.test.ts`],
  },
  {
    guard: 'The lease of a webhook is respected by whoever else would send',
    file: `${DELIVERIES}/send.ts`,
    find: 'if (isFree(webhook, ctx.clock)) return nextTurn(ctx, webhook)',
    replace: 'if (webhook.id !== null) return nextTurn(ctx, webhook)',
    tests: [`${WEBHOOKS}/races.test.ts`, `${WEBHOOKS}/crash.test.ts`],
  },
  {
    guard: 'A rate of requests holds in any second',
    file: `${DELIVERIES}/pace.ts`,
    find: 'pauseMs: Math.ceil(SECONDS / inSecond)',
    replace: 'pauseMs: 0',
    tests: [`${DELIVERIES}/rate.test.ts`],
  },
  {
    guard: 'The rate of a webhook holds while it is switched off and on',
    file: 'core/src/modules/webhooks/switching.ts',
    find: 'next_attempt_at: pauseOfRate(before, clock),',
    replace: '',
    tests: ['core/src/modules/webhooks/deliveries/rate.test.ts'],
  },
  {
    guard: 'Who sends hears soon of a secret that was replaced',
    file: 'core/src/modules/webhooks/deliveries/send.ts',
    find: 'webhook.is_active && webhook.updated_at === turn.webhook.updated_at',
    replace: 'webhook.is_active',
    tests: ['core/src/modules/webhooks/races.test.ts'],
  },
]
