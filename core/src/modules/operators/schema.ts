import {
  Closed,
  CreatedAt,
  Described,
  ListQuery,
  OneOf,
  OPERATOR_ROLES,
  pickFields,
  Type,
  UpdatedAt,
  Uuid,
} from '#kernel'
import { rolesOfOperator, type UserRow } from '../users/index.ts'

const Role = OneOf(OPERATOR_ROLES, {
  description:
    '`support` looks, `billing` sees to plans and trials, `operations` to whether tenants and people may use the installation; `all` may everything',
})

const roles = Type.Array(Role, {
  minItems: 1,
  maxItems: OPERATOR_ROLES.length,
  uniqueItems: true,
  description: 'What they may do. With `all` the others add nothing',
  examples: [['support', 'billing']],
})

export const Operator = Closed(
  {
    id: Described(Uuid, 'The person'),
    name: Type.String({ description: 'As they call themselves', examples: ['Ada Lovelace'] }),
    email: Type.String({ description: 'What they sign in with', examples: ['ada@example.com'] }),
    status: OneOf(['active', 'disabled'], { description: '`disabled`: cannot sign in' }),
    roles,
    created_at: CreatedAt,
    updated_at: UpdatedAt,
  },
  { title: 'Operator', description: 'A person who runs the installation, beside any tenant' },
)
export type Operator = Type.Static<typeof Operator>

export const NewOperator = Closed(
  { user_id: Described(Uuid, 'Somebody who has an account'), roles },
  {
    title: 'NewOperator',
    examples: [{ user_id: '01926f3c-7b1e-7cc3-98c4-dc0c0c07398f', roles: ['support', 'billing'] }],
  },
)
export type NewOperator = Type.Static<typeof NewOperator>

export const OperatorParams = Closed({ user_id: Uuid })
export const OperatorQuery = ListQuery({})

/** What records keep of an operator; no role: none any more. */
export const OperatorRecord = Closed(
  {
    id: Described(Uuid, 'The person'),
    name: Type.String({ description: 'Their name' }),
    roles: Type.Array(Role, { description: 'What they may do' }),
  },
  { title: 'OperatorRecord', description: 'Somebody who runs the installation, or did' },
)

/** An operator as they stand on the wire. */
export const presentOperator = (row: UserRow): Operator => pickFields(Operator, { ...row, roles: rolesOfOperator(row) })
