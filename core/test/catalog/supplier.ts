// catalog/supplier.ts: a callback that carries no credential of ours, only a signature over its bytes
import { createHmac } from 'node:crypto'
import { Closed, defineError, defineRoute, equalSecrets, parseJson, Type, Uuid } from '#kernel'
import { priceArticle } from './operations.ts'

const signatureInvalid = defineError('signature_invalid', 401, 'The signature does not fit the body')
const NewPrice = Closed({ article_id: Uuid, price_cents: Type.Integer({ minimum: 0, maximum: 100_000_000 }) })

/** The supplier's prices, signed by the secret that both sides know. */
export const supplierPrices = (secret: string) =>
  defineRoute({
    method: 'POST',
    path: '/suppliers/:tenant_id/prices',
    summary: 'Take a new price from the supplier',
    access: 'public',
    transaction: 'manual', // whose it is, and so which tenant to act in, is known only once the signature fits
    params: Closed({ tenant_id: Uuid }),
    headers: Type.Object({ 'supplier-signature': Type.String({ maxLength: 64, description: 'HMAC-SHA-256, in hex' }) }),
    raw: ['application/json'],
    response: { 204: null },
    errors: [signatureInvalid],
    handler: async (ctx, { params, headers, raw }) => {
      // The tenant is part of what is signed: what was sent to one cannot be sent again to another.
      const expected = createHmac('sha256', secret).update(`${params.tenant_id}.`).update(raw).digest('hex')
      if (!equalSecrets(headers['supplier-signature'], expected)) throw signatureInvalid()
      const { article_id, price_cents } = parseJson(raw, NewPrice)
      await ctx.transaction((ctx) => priceArticle(ctx, article_id, price_cents), { tenantId: params.tenant_id })
      return undefined
    },
  })
