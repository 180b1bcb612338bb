import { partialDeepStrictEqual as has } from 'node:assert/strict'
import { newId } from '#kernel'
import type { Cases } from '../../../testing/index.ts'

/** What is told of the operator's route. */
export const announcementCases: Cases['routes'] = {
  'POST /admin/announcements': {
    given: async ({ tenantId, test }) => {
      const operator = await test.addPerson()
      await test.core.db.systemQuery('update users set is_super_admin = true where id = $1', [operator.userId])
      return {
        token: await operator.token(),
        again: () => operator.in().token(),
        body: { title: `News ${newId()}`, message: 'Read this.', type: 'info', tenant_ids: [tenantId] },
      }
    },
    see: ({ body }, sent) => has(body, sent.body),
  },
}
