import { Closed, Described, Line, ListQuery, Nullable, OneOf, Patch, Search, Timestamp, Type, Uuid } from '#kernel'
import { Throttle } from '../load/index.ts'
import {
  FeaturesInForce,
  FeaturesOverride,
  LimitsInForce,
  LimitsOverride,
  OverridesPatch,
  Subscription,
  Usage,
} from '../subscriptions/index.ts'
import { TenantRemoval } from '../tenant-removal/index.ts'
import { Tenant, TenantPatch } from '../tenants/index.ts'

const status = OneOf(['active', 'suspended', 'deleted'], {
  description: '`suspended`: the operator keeps everybody out; `deleted`: the same, until it is removed',
})

/** What operators see of a tenant in lists. */
const tenant = {
  ...Tenant.properties,
  owner_email: Type.String({ description: 'The address of its owner', examples: ['ada@example.com'] }),
  suspended_at: Nullable(Described(Timestamp, 'Since when it is suspended; null: it is not')),
  suspended_reason: Nullable(Type.String({ description: 'Why it is suspended, as an operator said' })),
  plan: Nullable(
    Closed(
      {
        id: Described(Uuid, 'Its id'),
        code: Type.String({ description: 'Its code', examples: ['starter'] }),
        name: Type.String({ description: 'Its name', examples: ['Starter'] }),
      },
      { description: 'The plan that it has; null: none yet' },
    ),
  ),
  subscription_status: Nullable(
    Type.String({ description: 'The state of its subscription; null: there is none yet', examples: ['trialing'] }),
  ),
  trial_ends_at: Nullable(Described(Timestamp, 'When its trial ends or ended; null: there was none')),
}

export const ListedTenant = Closed(tenant, {
  title: 'ListedTenant',
  description: 'A tenant, as who runs the installation sees it',
})
export type ListedTenant = Type.Static<typeof ListedTenant>

export const AdminTenant = Closed(
  {
    ...tenant,
    throttle: Nullable(Described(Throttle, 'What an operator holds it to; null: nothing')),
    removal: Nullable(TenantRemoval),
    subscription: Nullable(Subscription),
    usage: Usage,
    limits: LimitsInForce,
    features: FeaturesInForce,
    limits_override: LimitsOverride,
    features_override: FeaturesOverride,
  },
  { title: 'AdminTenant', description: 'A tenant, with what it has and how much of it is in use' },
)
export type AdminTenant = Type.Static<typeof AdminTenant>

export const TenantQuery = ListQuery({
  q: Type.Optional(Search(200, 'Part of the name, the slug or the address of the owner')),
  status: Type.Optional(status),
  plan_id: Type.Optional(Described(Uuid, 'Those that have this plan now')),
})
export type TenantFilter = Pick<Type.Static<typeof TenantQuery>, 'q' | 'status' | 'plan_id'>

export const TenantParams = Closed({ id: Uuid })

export const TenantChanges = Patch(
  { ...TenantPatch.properties, ...OverridesPatch.properties },
  {
    title: 'TenantChanges',
    examples: [{ name: 'Third Rail Coffee', slug: 'third-rail' }],
  },
)
export type TenantChanges = Type.Static<typeof TenantChanges>

export const Suspension = Closed(
  { reason: Line(1000, 'Card testing from this account', 'Why; the tenant finds it in its own log afterwards') },
  { title: 'Suspension' },
)

export const TrialExtension = Closed(
  { days: Type.Integer({ minimum: 1, maximum: 365, description: 'How many days longer', examples: [14] }) },
  { title: 'TrialExtension' },
)

export const Overview = Closed(
  {
    tenants: Closed(
      {
        active: Type.Integer({ description: 'That can be used' }),
        suspended: Type.Integer({ description: 'Whose people are kept out' }),
        deleted: Type.Integer({ description: 'That wait to be removed' }),
      },
      { description: 'How many tenants there are, by status' },
    ),
    users: Type.Integer({ description: 'How many people have an account, or were invited to one' }),
    signups: Type.Array(
      Closed({
        date: Type.String({ format: 'date', description: 'A day in UTC', examples: ['2026-01-31'] }),
        count: Type.Integer({ description: 'Tenants that were founded on it' }),
      }),
      { description: 'The last 30 days, today last' },
    ),
    mrr: Type.Array(
      Closed({
        currency: Type.String({ description: 'ISO 4217', examples: ['USD'] }),
        cents: Type.Integer({ description: 'A month of all subscriptions that are paid for, a year by its twelfth' }),
      }),
      { description: 'What subscriptions bring in a month by the prices of their plans. Trials bring nothing' },
    ),
    storage_bytes: Type.Integer({ description: 'Bytes of all files that count towards the plans' }),
    failed_jobs: Type.Integer({ description: 'Jobs that were given up' }),
  },
  { title: 'Overview', description: 'How the installation does' },
)
export type Overview = Type.Static<typeof Overview>

/** What records of the installation keep of an act on a tenant. */
export const TenantAct = Closed(
  {
    id: Described(Uuid, 'The tenant'),
    name: Type.String({ description: 'Its name' }),
    slug: Type.String({ description: 'Its slug' }),
    status,
    reason: Nullable(Type.String({ description: 'Why, as far as it was said' })),
    days: Nullable(Type.Integer({ description: 'How many days longer a trial lasts' })),
    plan: Nullable(Type.String({ description: 'The code of the plan that was chosen, or that it had before' })),
    plan_at: Nullable(Described(Timestamp, 'When the plan that was chosen takes effect')),
  },
  { title: 'TenantAct' },
)
export type TenantAct = Type.Static<typeof TenantAct>
