// catalog/notifications.ts: what people of the tenant are told, in their list and by whatever ways they want it
import { Closed, defineNotification, follows, Type, Uuid } from 'tenantry'
import { articleRetired } from './events.ts'

export const articleRetiredNotice = defineNotification('catalog.article.retired', {
  type: 'info',
  data: Closed({ id: Uuid, name: Type.String() }),
  audience: { permission: 'article.create' },
  exceptActor: true,
  digest: true,
  actions: [{ name: 'look', route: ({ id }) => `/articles/${id}` }],
  on: [
    follows(articleRetired, ({ after }) =>
      after?.id && after.name ? { data: { id: after.id, name: after.name } } : null,
    ),
  ],
})
