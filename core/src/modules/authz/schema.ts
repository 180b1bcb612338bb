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

export const Explanation = Closed(
  {
    allowed: Type.Boolean({ description: 'Whether a request would be let through' }),
    reason: Reason,
    via: Type.Array(
      Closed({
        role_id: Described(Uuid, 'A role'),
        role: Type.String({ description: 'Its name', examples: ['manager'] }),
        store_id: Nullable(Described(Uuid, 'The store that it is held for; null: the whole tenant')),
      }),
      { description: 'The roles that give the permission' },
    ),
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
