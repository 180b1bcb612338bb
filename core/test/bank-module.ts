import {
  type Ctx,
  defineConfiguration,
  defineInbound,
  defineModule,
  type InboundMessage,
  type InboundRequest,
  kinds,
  parseJson,
  signatureHeaders,
  standardWebhook,
  type Tx,
  Type,
  type Verified,
} from '#kernel'
import { writeProbe } from './probe-module.ts'

const bankConfiguration = defineConfiguration({
  BANK_SECRET: { kind: kinds.secret(), default: null, secret: true, description: 'What the bank signs with.' },
})

const Payment = Type.Object({ account: Type.String({ maxLength: 50 }), amount_cents: Type.Integer() })

/** Whose account it is, across tenants. */
const findAccount = (tx: Tx, account: string) =>
  tx.selectFrom('probes').select('tenant_id').where('label', '=', `account ${account}`).executeTakeFirst()

const bookPayment = (ctx: Ctx, id: string, cents: number) => writeProbe(ctx, `${id} ${cents}`)

// The example of docs/writing-a-module.md, word by word.
export const payments = defineInbound('payments', {
  description: 'What was paid into the accounts of tenants.',
  verify: standardWebhook({
    secret: ({ config }) => config.of(bankConfiguration).BANK_SECRET,
    tenantOf: async (ctx, { body }) => {
      const { account } = parseJson(body, Payment)
      const found = await ctx.transaction(({ tx }) => findAccount(tx, account), { role: 'system', readOnly: true })
      return found?.tenant_id ?? 'ignore'
    },
  }),
  handle: async (ctx, { id, body }) => {
    const { amount_cents } = parseJson(body, Payment)
    await bookPayment(ctx, id, amount_cents)
  },
})

/** What the verifier and the handler of `parcels` do; each test sets what it needs. */
export const parcels: {
  verify?: (ctx: Ctx, request: InboundRequest) => Verified | 'ignore' | null
  handle?: (ctx: Ctx, message: InboundMessage) => Promise<unknown>
} = {}

const parcelSource = defineInbound('parcels', {
  description: 'Where parcels are.',
  maxAttempts: 3,
  contentTypes: ['application/json', 'application/x-www-form-urlencoded', 'text/plain'],
  headers: ['x-kind', 'x-absent'],
  bodyLimit: 1_000,
  verify: (ctx, request) => parcels.verify?.(ctx, request) ?? null,
  handle: async (ctx, message) => void (await parcels.handle?.(ctx, message)),
})

export const bank = defineModule({
  name: 'bank',
  description: 'What a bank and a carrier tell.',
  configuration: bankConfiguration,
  inbound: [payments, parcelSource],
})

export const BANK_SECRET = `whsec_${Buffer.from('what the bank and we know of').toString('base64')}`
export const BANK_ENV = { BANK_SECRET }

/** A signed message of the bank, as it is sent at `ms`. */
export function paid(id: string, ms: number, { account = 'A', cents = 1, secret = BANK_SECRET } = {}) {
  const payload = JSON.stringify({ account, amount_cents: cents, more: 'which nobody asked for' })
  const headers = { 'content-type': 'application/json', ...signatureHeaders({ id, body: payload }, [secret], ms) }
  return { payload, headers }
}

export const PAYMENTS = '/api/v1/inbound/payments'
export const PARCELS = '/api/v1/inbound/parcels'
