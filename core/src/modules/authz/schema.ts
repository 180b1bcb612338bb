import type { Static } from 'typebox'
import Type from 'typebox'
import { Closed, Nullable, OneOf, Uuid } from '#kernel'

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
    allowed: Type.Boolean(),
    reason: Reason,
    via: Type.Array(Closed({ role_id: Uuid, role: Type.String({ examples: ['manager'] }), store_id: Nullable(Uuid) }), {
      description: 'The roles that give the permission',
    }),
    missing: Type.Optional(
      Closed(
        {
          permission: Type.Optional(Type.String()),
          limit: Type.Optional(Type.String()),
          feature: Type.Optional(Type.String()),
        },
        { description: 'What it would take' },
      ),
    ),
  },
  { title: 'Explanation' },
)
export type Explanation = Static<typeof Explanation>
