// catalog/catalog.cases.ts: what the isolation kit cannot make up from the schemas: here a signature, and what a filter finds
import assert from 'node:assert/strict'
import type { Cases } from 'tenantry/testing'
import { signPrices } from './supplier.ts'

export const SUPPLIER_SECRET = 'what-both-sides-know'

const cases: Cases = {
  routes: {
    'GET /articles': {
      see: async (_answer, _sent, { id, send }) => {
        const article = await send('GET', `/articles/${await id('/articles')}`)
        const found = async (query: Record<string, string>) =>
          (await send('GET', `/articles?${new URLSearchParams(query)}`)).data.map((row: { id: string }) => row.id)
        assert.deepEqual(await found({ q: article.name.toUpperCase(), status: article.status }), [article.id])
        assert.deepEqual(await found({ q: `${article.name}%` }), [])
      },
    },
    'POST /suppliers/:tenant_id/prices': {
      // Signed for the one tenant, about an article of the other: no schema shows that.
      across: async ({ tenantId }, other) => {
        const raw = JSON.stringify({ article_id: await other.id('/articles'), price_cents: 275 })
        const headers = { 'supplier-signature': signPrices(SUPPLIER_SECRET, tenantId, raw) }
        return { params: { tenant_id: tenantId }, headers, raw }
      },
    },
  },
}

export default cases
