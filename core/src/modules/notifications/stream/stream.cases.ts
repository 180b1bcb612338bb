import assert from 'node:assert/strict'
import type { Cases, Tenant } from '../../../testing/index.ts'

/** What is told of the routes of streams; `told` makes one notification and gives its id. */
export const streamCases = (told: (tenant: Tenant) => Promise<string>): Cases['routes'] => ({
  'GET /notifications/stream': {
    // From the beginning on, and no longer than there is something to tell.
    given: async (tenant) => {
      await told(tenant)
      return { query: { wait: '0' }, headers: { 'last-event-id': '00000000-0000-7000-8000-000000000000' } }
    },
    see: ({ text }, _sent, { marker }) => {
      assert.match(text, /^id: [0-9a-f-]{36}\nevent: notification\ndata: /m)
      assert.match(text, /^event: unread\ndata: \{"unread_count":\d+\}\n\n$/m)
      assert.ok(text.includes(marker))
    },
  },
})
