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
  /** The day that periods begin on, however short the months in between. */
  anchored_at: string
  current_period_start: string
  current_period_end: string
  cancel_at_period_end: boolean
  cancel_reason: string | null
  canceled_at: string | null
  /** While past due: until when it may still be paid. */
  grace_ends_at: string | null
  payment_method: PaymentMethod | null
  /** Who collects with the payment method: `manual` or a module's provider. */
  payment_provider: string | null
  /** What the provider knows the payment method by; never shown. */
  payment_reference: string | null
  /** What is due and not paid yet. */
  charge: Charge | null
  /** The coming end was announced. */
  is_warned: boolean
  /** When the clock changes something next; null: never. */
  next_change_at: string | null
}

/** How a tenant pays, masked: nothing here would let anybody pay with it. */
export interface PaymentMethod {
  type: string
  label: string
  last4: string | null
  expires: string | null
}

/** Money that a tenant owes for a period. */
export interface Charge {
  /** The same however often it is collected; says which tenant it is of. */
  key: string
  amount_cents: number
  currency: string
  /** When it fell due. */
  due_at: string
}

/** How much of a limit of the kind "in this period" is used. */
export interface LimitUsageTable {
  tenant_id: string
  limit_name: string
  period_start: string
  used: number
}

/** How many trials a person's tenants have had. */
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
  }
}

export type PlanRow = Selectable<PlanTable>
export type SubscriptionRow = Selectable<SubscriptionTable>
