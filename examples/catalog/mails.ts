// catalog/mails.ts: what is written to people; the texts stand in messages/, layout and delivery are there already
import { Closed, defineMail, Type } from 'tenantry'

export const priceChanged = defineMail('catalog.price_changed', {
  data: Closed({ store: Type.String(), article: Type.String(), price: Type.String() }),
  values: ({ data, safeName, text }) => ({
    store: safeName(data.store, text('catalog.words.store')),
    article: safeName(data.article, text('catalog.words.article')),
    price: data.price,
  }),
  action: ({ link }) => link('/articles'),
})
