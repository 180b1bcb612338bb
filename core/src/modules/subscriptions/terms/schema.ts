import Type, { type Static } from 'typebox'
import { Closed, CreatedAt, Described, Nullable, OneOf, Patch, Timestamp, UpdatedAt } from '#kernel'
import { ByName } from '../schema.ts'
import type { Given } from '../table.ts'

/** The greatest whole number that JSON and JavaScript agree about. */
export const MOST = Number.MAX_SAFE_INTEGER

const until = Nullable(Described(Timestamp, 'Until when it holds; null: for good'))
const most = { type: ['integer', 'null'], minimum: 0, maximum: MOST }

const GivenLimit = Closed({ value: Nullable(Type.Integer({ description: 'How many; null: any number' })), until })
const GivenFeature = Closed({ value: Type.Boolean({ description: 'Whether the tenant has it' }), until })

export const LimitsOverride = ByName<Given<number | null>>(GivenLimit, {
  description: 'What the tenant has of each limit in place of what its plan says',
  examples: [{ stores: { value: 50, until: null } }],
})
export const FeaturesOverride = ByName<Given<boolean>>(GivenFeature, {
  description: 'Features that the tenant has, or has not, whatever its plan says',
  examples: [{}],
})

/** A value, or one with its end; `null` takes an override away. */
const Wish = (value: object, type: string) => ({
  type: [type, 'object', 'null'],
  minimum: 0,
  maximum: MOST,
  properties: {
    value: { ...value, description: 'What it gets; of a limit null: any number' },
    until: { type: ['string', 'null'], format: 'date-time', description: 'Until when; null, or left out: for good' },
  },
  required: ['value'],
  additionalProperties: false,
})

export interface EndingWish<T> {
  value: T
  until?: string | null
}

export const OverridesPatch = Patch({
  limits_override: ByName<number | EndingWish<number | null> | null>(Wish(most, 'integer'), {
    maxProperties: 200,
    description:
      'What it gets of a limit in place of what its plan says: `50`, or `{"value": 50, "until": …}`, or `{"value": null}` for any number. `null` takes an override away; those that are left out stay',
    examples: [{ stores: { value: 50, until: '2999-01-31T00:00:00.000Z' } }],
  }),
  features_override: ByName<boolean | EndingWish<boolean> | null>(Wish({ type: 'boolean' }, 'boolean'), {
    maxProperties: 200,
    description:
      'Whether it has a feature, whatever its plan says: `true`, or `{"value": true, "until": …}`. `null` takes an override away; those that are left out stay',
    examples: [{}],
  }),
})
export type OverridesPatch = Static<typeof OverridesPatch>

const by = OneOf(['override', 'rollout', 'plan'], {
  description: '`override`: of this tenant; `rollout`: of a share of tenants that it is among',
})

export const LimitsInForce = ByName<{ max: number | null; by: string; until: string | null }>(
  Closed({ max: Nullable(Type.Integer({ description: 'How many; null: any number' })), by, until }),
  {
    description: 'By name, what holds of each limit, by what, and until when',
    examples: [{ stores: { max: 50, by: 'override', until: null } }],
  },
)
export const FeaturesInForce = ByName<{ included: boolean; by: string; until: string | null }>(
  Closed({ included: Type.Boolean({ description: 'Whether the tenant has it' }), by, until }),
  { description: 'By name, what holds of each feature, by what, and until when', examples: [{}] },
)

/** What records keep of a change of overrides. */
export const OverridesRecord = Closed(
  { limits_override: LimitsOverride, features_override: FeaturesOverride },
  { title: 'OverridesRecord', description: 'What an operator gives in place of what the plan says' },
)
export type OverridesRecord = Static<typeof OverridesRecord>

const share = {
  minimum: 0,
  maximum: 100,
  description: 'How many percent of all tenants. A greater share has all tenants of a smaller one',
  examples: [10],
}
const value = {
  description: 'Of a feature: whether they have it; of a limit: how many, null for any number',
  examples: [100],
}

export const RolloutPatch = Patch(
  {
    value: Type.Unsafe<number | boolean | null>({
      type: ['integer', 'boolean', 'null'],
      minimum: 0,
      maximum: MOST,
      ...value,
    }),
    share: Type.Integer(share),
    until: Nullable(
      Type.String({
        format: 'date-time',
        description: 'Until when it holds; null: for good',
        examples: ['2999-01-31T00:00:00.000Z'],
      }),
    ),
  },
  { title: 'RolloutPatch', description: 'The first one takes `value` and `share`' },
)
export type RolloutPatch = Static<typeof RolloutPatch>

const rollout = {
  name: Type.String({ description: 'The limit or feature', examples: ['users'] }),
  kind: OneOf(['limit', 'feature'], { description: 'Which of the two' }),
  value: Type.Unsafe<number | boolean | null>({ type: ['integer', 'boolean', 'null'], ...value }),
  share: Type.Integer(share),
  until,
}

export const Rollout = Closed(
  { ...rollout, created_at: CreatedAt, updated_at: UpdatedAt },
  { title: 'Rollout', description: 'A limit or feature for a share of all tenants, whatever their plans say' },
)
export type Rollout = Static<typeof Rollout>

export const RolloutParams = Closed({
  name: Type.String({ description: 'The limit or feature', examples: ['users'] }),
})
