// catalog/supplier.ts: a callback that carries no credential of ours, only a signature over its bytes
import { createHmac } from 'node:crypto'
import {
  Closed,
  defineError,
  defineRoute,
  equalSecrets,
  parseJson,
  systemActor,
  Type,
  Uuid,
  unavailable,
} from 'tenantry'
import { catalogConfiguration } from './configuration.ts'
import { priceArticle } from './operations.ts'
import { price_cents } from './schema.ts'

const signatureInvalid = defineError('signature_invalid', 401, 'The signature does not fit the body')
const NewPrice = Closed({ article_id: Uuid, price_cents })

/** The tenant is part of what is signed: what was sent to one cannot be sent again to another. */
export const signPrices = (secret: string, tenantId: string, bytes: Buffer | string) =>
  createHmac('sha256', secret).update(`${tenantId}.`).update(bytes).digest('hex')

/** The supplier's prices, signed by the secret that both sides know. */
export const supplierPrices = defineRoute({
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
  handler: async (ctx, { params: { tenant_id }, headers, raw }) => {
    const { CATALOG_SUPPLIER_SECRET: secret } = ctx.config.of(catalogConfiguration)
    if (secret === null) throw unavailable()
    if (!equalSecrets(headers['supplier-signature'], signPrices(secret, tenant_id, raw))) throw signatureInvalid()
    const { article_id, price_cents } = parseJson(raw, NewPrice)
    // Nobody has signed in, so that the record would say `anonymous`: it names who sent the price.
    const supplier = ctx.as({ ...systemActor, label: 'supplier' })
    await supplier.transaction((ctx) => priceArticle(ctx, article_id, price_cents), { tenantId: tenant_id })
    return undefined
  },
})
