import type { Selectable, TenantRow } from '#kernel'

/** What can be subscribed to. Global: the same for every tenant. */
export interface PlanTable {
  id: string
  code: string
  name: string
  description: string
  price_cents: number
  currency: string
  interval: Interval
  trial_days: number
  /** Only what differs from the limits' own declarations; null: any number. */
  limits: Readonly<Record<string, number | null>>
  /** Only what differs from the features' own declarations. */
  features: Readonly<Record<string, boolean>>
  is_public: boolean
  is_active: boolean
  created_at: string
  updated_at: string
}

export type Interval = 'month' | 'year'
export type Status = 'trialing' | 'active' | 'past_due' | 'canceled' | 'expired'

/** Exactly one per tenant. */
export interface SubscriptionTable extends TenantRow {
  plan_id: string
  /** The plan of the next period, where another one was chosen. */
  pending_plan_id: string | null
  status: Status
  trial_ends_at: string | null
  /** The day of the month on which periods start, also in shorter months. */
  anchored_at: string
  current_period_start: string
  current_period_end: string
  cancel_at_period_end: boolean
  cancel_reason: string | null
  canceled_at: string | null
  /** While past due: until when it may still be paid. */
  grace_ends_at: string | null
  payment_method: PaymentMethod | null
  /** Who collects: `manual` or the provider of a module. */
  payment_provider: string | null
  /** The provider's reference of the payment method; never shown. */
  payment_reference: string | null
  /** The unpaid amount. */
  charge: Charge | null
  /** Whether the coming end has been announced. */
  /** How many days before its end it was last warned of; null: not yet. */
  warned_days: number | null
  /** When time causes the next change; null: never. */
  next_change_at: string | null
  /** What operators give the tenant in place of what its plan says, by name; what has ended may be among it. */
  limits_override: Readonly<Record<string, Given<number | null>>>
  features_override: Readonly<Record<string, Given<boolean>>>
}

/** A value that holds until a moment; null: for good. */
export interface Given<T> {
  /** Of a limit null: any number. */
  value: T
  until: string | null
}

/** A limit (a number, or null for any number) or a feature (true or false) for a share of all tenants. Global. */
export interface RolloutTable extends Given<number | null | boolean> {
  name: string
  /** In percent of all tenants. */
  share: number
  created_at: string
  updated_at: string
}

/** The masked payment method; nobody could pay with it. */
export interface PaymentMethod {
  type: string
  label: string
  last4: string | null
  expires: string | null
}

/** Money that a tenant owes for a period. */
export interface Charge {
  /** The same for each attempt to collect it; contains the tenant. */
  key: string
  amount_cents: number
  currency: string
  /** When it fell due. */
  due_at: string
}

/** Use of a limit that is counted per period. */
export interface LimitUsageTable {
  tenant_id: string
  limit_name: string
  period_start: string
  used: number
}

/** Trials that a person's tenants have had. */
export interface PersonTrialsTable {
  user_id: string
  trials: number
}

declare module '#kernel' {
  interface Tables {
    plans: PlanTable
    subscriptions: SubscriptionTable
    limit_usage: LimitUsageTable
    person_trials: PersonTrialsTable
    rollouts: RolloutTable
  }
}

export type PlanRow = Selectable<PlanTable>
export type SubscriptionRow = Selectable<SubscriptionTable>
export type RolloutRow = Selectable<RolloutTable>
