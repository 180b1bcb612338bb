import type { Static } from 'typebox'
import Type from 'typebox'
import { Closed, Described, Nullable, OneOf, Uuid } from '#kernel'

export const Question = Closed(
  {
    permission: Type.String({
      maxLength: 100,
      description: 'A code of `GET /permissions`',
      examples: ['store.update'],
    }),
    store_id: Type.Optional(
      Nullable(Type.String({ format: 'uuid', description: 'In this store; absent or null: in the whole tenant' })),
    ),
    user_id: Type.Optional(
      Type.String({ format: 'uuid', description: 'About this person, which needs `role.view`; absent: about you' }),
    ),
  },
  { title: 'AuthorizationQuestion' },
)
export type Question = Static<typeof Question>

/** Why something is allowed or not. */
export const Reason = OneOf(
  [
    'granted',
    'no_role',
    'store_only',
    'not_member',
    'member_disabled',
    'plan_feature',
    'plan_limit',
    'subscription_inactive',
    'tenant_suspended',
    'not_in_scopes',
  ],
  {
    description:
      '`no_role`: no role gives it there; `store_only`: held for single stores, which `via` names, and none was asked about',
  },
)
export type Reason = Static<typeof Reason>

const HeldRole = Closed({
  role_id: Described(Uuid, 'A role'),
  role: Type.String({ description: 'Its name', examples: ['manager'] }),
  store_id: Nullable(Described(Uuid, 'The store that it is held for; null: the whole tenant')),
})

export const Explanation = Closed(
  {
    allowed: Type.Boolean({ description: 'Whether a request would be let through' }),
    reason: Reason,
    via: Type.Array(HeldRole, { description: 'The roles that give the permission' }),
    missing: Type.Optional(
      Closed(
        {
          permission: Type.Optional(Type.String({ description: 'A permission that no role gives' })),
          limit: Type.Optional(Type.String({ description: 'A limit of the plan that is reached' })),
          feature: Type.Optional(Type.String({ description: 'A feature that the plan is without' })),
        },
        { description: 'What it would take' },
      ),
    ),
  },
  { title: 'Explanation', description: 'Whether something is allowed, and why' },
)
export type Explanation = Static<typeof Explanation>

/** Where rights are asked about. */
export const Place = Closed({
  store_id: Type.Optional(
    Described(Uuid, 'In this store; absent: in the whole tenant, where what is held for single stores does not count'),
  ),
})

const Limit = Closed({
  used: Type.Integer({ description: 'How many are in use, or were used up in this period' }),
  max: Nullable(Type.Integer({ description: 'How many the plan allows; null: any number' })),
})

export const MyRights = Closed(
  {
    permissions: Type.Array(Type.String({ examples: ['store.update'] }), {
      description: 'Codes of the permissions that a request would be let through with, now and there; sorted',
      examples: [['store.update', 'store.view']],
    }),
    features: Type.Array(Type.String({ examples: ['online_orders'] }), {
      description: 'Names of the features that the plan has; sorted',
    }),
    limits: Type.Unsafe<Record<string, Static<typeof Limit>>>({
      type: 'object',
      additionalProperties: Limit,
      description: 'By name, how much of each limit of the plan is in use',
      examples: [{ stores: { used: 1, max: 5 }, users: { used: 8, max: null } }],
    }),
    roles: Type.Array(HeldRole, {
      description: 'Your roles: those that count in the store, or without one all of them',
    }),
    version: Type.String({
      description:
        'Names all the rest: it changes whenever something else in here does. The `ETag` is the same in quotes',
      examples: ['2jmj7l5rSw0yVb_vlWAYkK'],
    }),
  },
  { title: 'MyRights', description: 'What the caller may do' },
)
export type MyRights = Static<typeof MyRights>
