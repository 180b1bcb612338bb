import assert from 'node:assert/strict'
import type { Cases } from '../../testing/index.ts'
import { unsubscribeToken } from './unsubscribe/tokens.ts'

const exempt = 'shows every mail of the installation, in development alone'

const cases: Cases = {
  ids: { '/dev/mailbox': null },
  routes: {
    'GET /dev/mailbox': {
      exempt,
      see: ({ text, headers }) => {
        assert.ok(text.includes('<h1>Mailbox</h1>'))
        assert.match(String(headers['content-type']), /^text\/html/)
      },
    },
    'GET /dev/mailbox/:id': {
      exempt,
      given: async ({ test, tenantId }) => {
        await test.drainJobs(tenantId)
        await test.drainJobs(null)
        const [mail] = await test.mails()
        return { params: { id: mail?.id ?? 'none' } }
      },
      see: ({ text }) => assert.match(text, /<h1>.+<\/h1>/),
    },
    'POST /unsubscribe': {
      given: async ({ test, tenantId, send }) => {
        const { id: userId } = await send('GET', '/users/me')
        const token = unsubscribeToken(test.core, { tenantId, userId, kind: 'announcement' })
        return { query: { token }, raw: 'List-Unsubscribe=One-Click' }
      },
      across: null,
      see: ({ body }) => assert.deepEqual(body, { unsubscribed: true }),
    },
  },
}

export default cases
