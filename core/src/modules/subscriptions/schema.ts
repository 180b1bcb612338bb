import Type, { type Static } from 'typebox'
import {
  Closed,
  CreatedAt,
  Described,
  Line,
  Nullable,
  OneOf,
  OwnId,
  Patch,
  TenantId,
  Timestamp,
  UpdatedAt,
  Uuid,
} from '#kernel'
import { Currency } from '../tenants/index.ts'

/** An object with a value per name; the modules decide which names there are. */
export const ByName = <T>(value: object, options: object) =>
  Type.Unsafe<Record<string, T>>({ type: 'object', additionalProperties: value, ...options })

const Limits = ByName<number | null>(Nullable(Type.Integer()), {
  description: 'How many of each; null: any number',
  examples: [{ users: 10, stores: 5 }],
})
const Features = ByName<boolean>(Type.Boolean(), {
  description: 'By name, whether the plan includes it',
  examples: [{}],
})

export const Plan = Closed(
  {
    id: OwnId,
    code: Type.String({ description: 'What programs call it', examples: ['starter'] }),
    name: Type.String({ description: 'What people call it' }),
    description: Type.String({ description: 'What it is good for, for people' }),
    price_cents: Type.Integer({
      description: 'Price of one period, in the smallest unit of `currency`',
      examples: [2900],
    }),
    currency: Currency,
    interval: OneOf(['month', 'year'], { description: 'How long a period is' }),
    trial_days: Type.Integer({ description: 'Days that a trial of it lasts; 0: none', examples: [14] }),
    limits: Limits,
    features: Features,
    is_public: Type.Boolean({ description: 'Whether anybody may choose it' }),
    is_active: Type.Boolean({ description: 'Whether it can be chosen; who has it keeps it' }),
    created_at: CreatedAt,
    updated_at: UpdatedAt,
  },
  { title: 'Plan', description: 'What a tenant pays for: a price, and what is included' },
)
export type Plan = Static<typeof Plan>

const paymentMethod = {
  type: Type.String({
    pattern: '^[a-z][a-z0-9_]{0,39}$',
    says: 'must be a word of lower-case letters, digits and underscores, such as card',
    description: 'What kind: a word of lower-case letters, digits and underscores',
    examples: ['card'],
  }),
  label: Line(100, 'Visa of the company', 'What people call it'),
  last4: Nullable(
    Type.String({
      pattern: '^\\d{4}$',
      says: 'must be four digits',
      description: 'The last four digits of its number; null: it has none',
      examples: ['4242'],
    }),
  ),
  expires: Nullable(
    Type.String({
      pattern: '^(\\d{4}-\\d{2}|\\d{2}/(\\d{2}|\\d{4}))$',
      says: 'must be a month such as 2030-12 or 12/30',
      description: 'The last month that it is good for; null: it does not expire',
      examples: ['2030-12'],
    }),
  ),
}

export const PaymentMethod = Closed(paymentMethod, {
  title: 'PaymentMethod',
  description: 'How the tenant pays, masked',
})

export const PaymentMethodPatch = Patch(paymentMethod, {
  title: 'PaymentMethodPatch',
  description: 'Masked: never a whole number. The first one takes `type` and `label`.',
})
export type PaymentMethodPatch = Static<typeof PaymentMethodPatch>

const status = OneOf(['trialing', 'active', 'past_due', 'canceled', 'expired'], {
  description:
    '`past_due`: not paid, and goes on until `grace_ends_at`; `canceled` and `expired`: has ended, everything can be read and nothing changed',
})

const subscription = {
  tenant_id: TenantId,
  id: OwnId,
  status,
  trial_ends_at: Nullable(Described(Timestamp, 'When the trial ends or ended; null: there was none')),
  current_period_start: Described(Timestamp, 'Since when the present period runs'),
  current_period_end: Described(Timestamp, 'Until when it runs'),
  cancel_at_period_end: Type.Boolean({ description: 'Whether it ends then, by a cancellation that waits' }),
  canceled_at: Nullable(Described(Timestamp, 'When it was canceled; null: it is not')),
  grace_ends_at: Nullable(
    Type.String({ format: 'date-time', description: 'While past due: until when it may still be paid' }),
  ),
  pending_plan_id: Nullable(
    Type.String({ format: 'uuid', description: 'The plan of the next period, where another one was chosen' }),
  ),
  payment_method: Nullable(PaymentMethod),
  created_at: CreatedAt,
  updated_at: UpdatedAt,
}

export const Subscription = Closed(
  { ...subscription, plan: Plan },
  {
    title: 'Subscription',
    description: 'What the tenant has, until when, and how it pays',
  },
)
export type Subscription = Static<typeof Subscription>

/** A subscription as records show it: its plan by name, and the reason for its cancellation. */
export const SubscriptionRecord = Closed(
  {
    ...subscription,
    plan: Closed(
      {
        id: Described(Uuid, 'Its id'),
        code: Type.String({ description: 'Its code', examples: ['starter'] }),
        name: Type.String({ description: 'Its name', examples: ['Starter'] }),
      },
      { description: 'The plan' },
    ),
    cancel_reason: Nullable(Type.String({ description: 'Why it was canceled, as far as somebody said so' })),
  },
  { title: 'SubscriptionRecord', description: 'The subscription of the tenant' },
)
export type SubscriptionRecord = Static<typeof SubscriptionRecord>

const LimitUsage = Closed({
  used: Type.Integer({ description: 'How many are in use, or were used up in this period' }),
  max: Nullable(Type.Integer({ description: 'How many the plan allows; null: any number' })),
  percent: Nullable(
    Type.Integer({ description: 'How much of it that is in percent. Rounded down; null where any number is allowed' }),
  ),
})
export type LimitUsage = Static<typeof LimitUsage>

export const Usage = ByName<LimitUsage>(LimitUsage, {
  title: 'Usage',
  description: 'By name, how much of each limit is in use',
  examples: [{ users: { used: 8, max: 10, percent: 80 }, stores: { used: 1, max: 5, percent: 20 } }],
})
export type Usage = Static<typeof Usage>

export const Trial = Closed(
  {
    in_trial: Type.Boolean({ description: 'Whether a trial runs now' }),
    days_left: Type.Integer({ description: 'Days until it ends; begun days count' }),
    ends_at: Nullable(Described(Timestamp, 'When it ends or ended; null: there was none')),
  },
  { title: 'Trial', description: 'How much of the trial is left' },
)

export const SubscriptionDetails = Closed(
  { subscription: Subscription, plan: Plan, limits: Limits, features: Features, usage: Usage, trial: Trial },
  { title: 'SubscriptionDetails', description: 'All that a page about the subscription shows' },
)
export type SubscriptionDetails = Static<typeof SubscriptionDetails>

const at = OneOf(['now', 'period_end'], {
  description:
    'When a change to less, to a shorter period or to another currency takes effect (default: `period_end`). An upgrade does at once.',
})

export const PlanChange = Closed(
  {
    plan_id: Type.String({
      format: 'uuid',
      description: 'The plan to change to',
      examples: ['01900000-0000-7000-8000-000000000003'],
    }),
    at: Type.Optional(at),
  },
  { title: 'PlanChange' },
)
export type PlanChange = Static<typeof PlanChange>

export const Exceeded = Closed({
  limit: Type.String({ description: 'The name of a limit', examples: ['stores'] }),
  used: Type.Integer({ description: 'How many are in use' }),
  max: Type.Integer({ description: 'How many the plan allows' }),
})
export type Exceeded = Static<typeof Exceeded>

export const PlanChangePreview = Closed(
  {
    allowed: Type.Boolean({ description: 'Whether the change would be made' }),
    exceeds: Type.Array(Exceeded, { description: 'Limits of which more is in use than the plan allows' }),
    requires_payment_method: Type.Boolean({ description: 'Whether a payment method has to be on file first' }),
    effective_at: Described(Timestamp, 'When it would take effect'),
    amount_due_cents: Type.Integer({ description: 'Due when it takes effect, in the currency of the new plan' }),
    dropped_cents: Type.Integer({
      description:
        'Of what is paid for the period of now: the part that the change loses, in the currency of the plan of now. Nothing is paid back',
    }),
    takes_cancellation_back: Type.Boolean({
      description: 'A cancellation waits for the end of the period, and choosing this plan takes it back',
    }),
  },
  { title: 'PlanChangePreview', description: 'What a change of plan would do' },
)
export type PlanChangePreview = Static<typeof PlanChangePreview>

export const Cancellation = Closed(
  {
    at_period_end: Type.Boolean({ description: 'false: at once, and from then on everything can only be read' }),
    reason: Type.Optional(
      Type.String({
        maxLength: 1000,
        description: 'Why, in your words; kept in the record',
        examples: ['We close down'],
      }),
    ),
  },
  { title: 'Cancellation' },
)
export type Cancellation = Static<typeof Cancellation>

/** Data of the events about limits. */
export const LimitReached = Closed({ limit: Type.String(), max: Type.Integer(), used: Type.Integer() })

export const PlanParams = Closed({ id: Uuid })
