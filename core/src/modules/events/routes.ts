import { atQuery, defineRoute, invalidCursor, type Route, rateLimited, unavailable } from '#kernel'
import { followEvents } from './follow.ts'
import { meaningless, readPatterns } from './patterns.ts'
import { EventPage, EventQuery } from './schema.ts'

export const eventRoutes: readonly Route[] = [
  defineRoute({
    method: 'GET',
    path: '/events',
    name: 'pullEvents',
    summary: 'Pull what happened',
    description:
      'Oldest first, in the order of commits: what webhooks get, for programs that ask for it. Behind a cursor comes every event once, and none of them is passed over. Kept for 30 days at least. Whoever sees some stores gets the events of these.',
    access: { permission: 'event.view', store: { rows: 'events.store_id' } },
    query: EventQuery,
    *checkQuery({ types }, { registry }) {
      if (typeof types !== 'string' || types === '') return // the schema says so
      const unknown = meaningless(readPatterns(types), registry.published.keys())
      if (unknown.length > 0)
        yield atQuery('types', `names no event that goes out by ${unknown.map((each) => `"${each}"`).join(', ')}`)
    },
    transaction: 'manual',
    response: { 200: EventPage },
    errors: [invalidCursor, rateLimited, unavailable],
    handler: (ctx, { query }) => followEvents(ctx, query),
  }),
]
