import Type, { type Static } from 'typebox'
import { Closed, Line, Nullable, OneOf, Timestamp, Uuid } from '#kernel'
import { Currency } from '../tenants/index.ts'

/** An object by name; which names there are is up to the modules. */
const ByName = <T>(value: object, options: object) =>
  Type.Unsafe<Record<string, T>>({ type: 'object', additionalProperties: value, ...options })

const Limits = ByName<number | null>(Nullable(Type.Integer()), {
  description: 'How many of each; null: any number',
  examples: [{ users: 10, stores: 5 }],
})
const Features = ByName<boolean>(Type.Boolean(), { examples: [{}] })

export const Plan = Closed(
  {
    id: Uuid,
    code: Type.String({ examples: ['starter'] }),
    name: Type.String(),
    description: Type.String(),
    price_cents: Type.Integer({ examples: [2900] }),
    currency: Currency,
    interval: OneOf(['month', 'year']),
    trial_days: Type.Integer({ examples: [14] }),
    limits: Limits,
    features: Features,
    is_public: Type.Boolean(),
    is_active: Type.Boolean(),
    created_at: Timestamp,
    updated_at: Timestamp,
  },
  { title: 'Plan' },
)
export type Plan = Static<typeof Plan>

const paymentMethod = {
  type: Type.String({
    pattern: '^[a-z][a-z0-9_]{0,39}$',
    says: 'must be a word of lower-case letters, digits and underscores, such as card',
    examples: ['card'],
  }),
  label: Line(100, 'Visa of the company'),
  last4: Nullable(Type.String({ pattern: '^\\d{4}$', says: 'must be four digits', examples: ['4242'] })),
  expires: Nullable(
    Type.String({
      pattern: '^(\\d{4}-\\d{2}|\\d{2}/(\\d{2}|\\d{4}))$',
      says: 'must be a month such as 2030-12 or 12/30',
      examples: ['2030-12'],
    }),
  ),
}

export const PaymentMethod = Closed(paymentMethod, { title: 'PaymentMethod' })

export const PaymentMethodPatch = Type.Partial(Closed(paymentMethod), {
  additionalProperties: false,
  title: 'PaymentMethodPatch',
  description: 'Masked: never a whole number. The first one takes `type` and `label`.',
})
export type PaymentMethodPatch = Static<typeof PaymentMethodPatch>

const status = OneOf(['trialing', 'active', 'past_due', 'canceled', 'expired'])

const subscription = {
  tenant_id: Uuid,
  id: Uuid,
  status,
  trial_ends_at: Nullable(Timestamp),
  current_period_start: Timestamp,
  current_period_end: Timestamp,
  cancel_at_period_end: Type.Boolean(),
  canceled_at: Nullable(Timestamp),
  grace_ends_at: Nullable(
    Type.String({ format: 'date-time', description: 'While past due: until when it may still be paid' }),
  ),
  pending_plan_id: Nullable(
    Type.String({ format: 'uuid', description: 'The plan of the next period, where another one was chosen' }),
  ),
  payment_method: Nullable(PaymentMethod),
  created_at: Timestamp,
  updated_at: Timestamp,
}

export const Subscription = Closed({ ...subscription, plan: Plan }, { title: 'Subscription' })
export type Subscription = Static<typeof Subscription>

/** A subscription as records keep it: its plan by name, and why it was canceled. */
export const SubscriptionRecord = Closed({
  ...subscription,
  plan: Closed({ id: Uuid, code: Type.String(), name: Type.String() }),
  cancel_reason: Nullable(Type.String()),
})
export type SubscriptionRecord = Static<typeof SubscriptionRecord>

const LimitUsage = Closed({
  used: Type.Integer(),
  max: Nullable(Type.Integer()),
  percent: Nullable(Type.Integer({ description: 'Rounded down; null where any number is allowed' })),
})
export type LimitUsage = Static<typeof LimitUsage>

export const Usage = ByName<LimitUsage>(LimitUsage, {
  title: 'Usage',
  examples: [{ users: { used: 8, max: 10, percent: 80 }, stores: { used: 1, max: 5, percent: 20 } }],
})
export type Usage = Static<typeof Usage>

export const Trial = Closed(
  {
    in_trial: Type.Boolean(),
    days_left: Type.Integer({ description: 'Begun days count' }),
    ends_at: Nullable(Timestamp),
  },
  { title: 'Trial' },
)

export const SubscriptionDetails = Closed(
  { subscription: Subscription, plan: Plan, limits: Limits, features: Features, usage: Usage, trial: Trial },
  { title: 'SubscriptionDetails' },
)
export type SubscriptionDetails = Static<typeof SubscriptionDetails>

const at = OneOf(['now', 'period_end'], {
  description:
    'When a change to less, to a shorter period or to another currency takes effect (default: `period_end`). An upgrade does at once.',
})

export const PlanChange = Closed(
  {
    plan_id: Type.String({ format: 'uuid', examples: ['01900000-0000-7000-8000-000000000003'] }),
    at: Type.Optional(at),
  },
  { title: 'PlanChange' },
)
export type PlanChange = Static<typeof PlanChange>

const Exceeded = Closed({ limit: Type.String({ examples: ['stores'] }), used: Type.Integer(), max: Type.Integer() })
export type Exceeded = Static<typeof Exceeded>

export const PlanChangePreview = Closed(
  {
    allowed: Type.Boolean(),
    exceeds: Type.Array(Exceeded, { description: 'Limits of which more is in use than the plan allows' }),
    requires_payment_method: Type.Boolean(),
    effective_at: Timestamp,
    amount_due_cents: Type.Integer({ description: 'Due when it takes effect, in the currency of the new plan' }),
    dropped_cents: Type.Integer({
      description:
        'Of what is paid for the period of now: the part that the change loses, in the currency of the plan of now. Nothing is paid back',
    }),
    takes_cancellation_back: Type.Boolean({
      description: 'A cancellation waits for the end of the period, and choosing this plan takes it back',
    }),
  },
  { title: 'PlanChangePreview' },
)
export type PlanChangePreview = Static<typeof PlanChangePreview>

export const Cancellation = Closed(
  {
    at_period_end: Type.Boolean({ description: 'false: at once, and from then on everything can only be read' }),
    reason: Type.Optional(Type.String({ maxLength: 1000, examples: ['We close down'] })),
  },
  { title: 'Cancellation' },
)
export type Cancellation = Static<typeof Cancellation>

/** What is said when a limit comes near or is reached. */
export const LimitReached = Closed({ limit: Type.String(), max: Type.Integer(), used: Type.Integer() })

export const PlanParams = Closed({ id: Uuid })
