import Type, { type Static } from 'typebox'
import { Closed, Line, OneOf, Patch } from '#kernel'
import { Currency } from '../../tenants/index.ts'
import { ByName, Plan } from '../schema.ts'
import { MOST } from '../terms/schema.ts'

const fields = {
  name: Line(100, 'Chain', 'What people call it'),
  description: Type.String({
    maxLength: 1000,
    description: 'What it is good for, for people',
    examples: ['For companies with many stores'],
  }),
  price_cents: Type.Integer({
    minimum: 0,
    maximum: 2_147_483_647,
    description: 'Price of one period, in the smallest unit of `currency`',
    examples: [19_900],
  }),
  currency: Currency,
  interval: OneOf(['month', 'year'], { description: 'How long a period is', examples: ['month'] }),
  trial_days: Type.Integer({ minimum: 0, maximum: 3650, description: 'Days that a trial of it lasts; 0: none' }),
  limits: ByName<number | null>(
    { type: ['integer', 'null'], minimum: 0, maximum: MOST },
    {
      maxProperties: 200,
      description: 'How many of each; null: any number. Limits that are left out stay as they are',
      examples: [{ users: 100, stores: null }],
    },
  ),
  features: ByName<boolean>(Type.Boolean(), {
    maxProperties: 200,
    description: 'Whether it includes each. Features that are left out stay as they are',
    examples: [{}],
  }),
  is_public: Type.Boolean({ description: 'Whether anybody may choose it', examples: [true] }),
  is_active: Type.Boolean({ description: 'Whether it can be chosen; who has it keeps it', examples: [true] }),
}

const code = Type.String({
  pattern: '^[a-z][a-z0-9_-]{0,49}$',
  says: 'must be a word of lower-case letters, digits, hyphens and underscores, such as chain',
  description: 'What programs call it',
  examples: ['chain'],
})

const { name, price_cents, currency, ...others } = fields
export const NewPlan = Type.Object(
  { code, name, price_cents, currency, ...Type.Partial(Closed(others)).properties },
  {
    additionalProperties: false,
    title: 'NewPlan',
    description: 'Private until it is said to be public; of limits that it does not name any number is allowed',
  },
)
export type NewPlan = Static<typeof NewPlan>

export const PlanPatch = Patch(
  { code: Type.With(code, { examples: ['large-chain'] }), ...fields },
  { title: 'PlanPatch' },
)
export type PlanPatch = Static<typeof PlanPatch>

export const OfferedPlan = Closed(
  {
    ...Plan.properties,
    subscriptions: Type.Integer({ description: 'Tenants that have it, in whatever state their subscription is' }),
    pending_subscriptions: Type.Integer({ description: 'Tenants that have it from their next period on' }),
  },
  { title: 'OfferedPlan', description: 'A plan, as who runs the installation sees it' },
)
export type OfferedPlan = Static<typeof OfferedPlan>

/** A plan as records keep it: of limits and features what it says itself. */
export const PlanRecord = Closed(Plan.properties, { title: 'PlanRecord', description: 'A plan' })
export type PlanRecord = Static<typeof PlanRecord>
