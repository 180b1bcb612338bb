import { partialDeepStrictEqual as has } from 'node:assert/strict'
import { newId } from '#kernel'
import { asOperator, type Cases } from '../../../testing/index.ts'

/** What is told of the operator's route. */
export const announcementCases: Cases['routes'] = {
  'POST /admin/announcements': {
    given: async ({ tenantId, test }) => ({
      ...(await asOperator(test)),
      body: { title: `News ${newId()}`, message: 'Read this.', type: 'info', tenant_ids: [tenantId] },
    }),
    see: ({ body }, sent) => has(body, sent.body),
  },
}
