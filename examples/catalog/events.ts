// catalog/events.ts: what happened, as the audit log and whoever follows will read it
import { defineEvent } from 'tenantry'
import { Article } from './schema.ts'

export const articleAdded = defineEvent('catalog.article.added', {
  description: 'An article was added',
  data: Article,
  published: true, // it goes out: to webhooks, and to whoever follows
})
export const articlePriced = defineEvent('catalog.article.priced', {
  description: 'A price changed',
  data: Article,
  published: true,
})
export const articleRetired = defineEvent('catalog.article.retired', {
  description: 'An article is sold no longer',
  data: Article,
})
