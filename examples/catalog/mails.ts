// catalog/mails.ts: what is written to people, in as many languages as you have; layout and delivery are there already
import { Closed, defineMail, Type } from 'tenantry'

export const priceChanged = defineMail('catalog.price_changed', {
  data: Closed({ store: Type.String(), article: Type.String(), price: Type.String() }),
  texts: {
    en: ({ data, link, safeName }) => ({
      subject: `New price of ${safeName(data.article, 'an article')}`,
      paragraphs: [
        `At ${safeName(data.store, 'your store')}, ${safeName(data.article, 'an article')} costs ${data.price} now.`,
      ],
      action: { label: 'Look at the articles', url: link('/articles') },
    }),
    de: ({ data, safeName }) => ({
      subject: `Neuer Preis: ${safeName(data.article, 'ein Artikel')}`,
      paragraphs: [`${safeName(data.article, 'Ein Artikel')} kostet jetzt ${data.price}.`],
    }),
  },
})
