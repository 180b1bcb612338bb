import { sql } from '#kernel'

/** A condition for `rows` of a route that reads `members`: the members who hold a role in one of the stores. */
export const membersOfStores = (stores: readonly string[]) =>
  sql<boolean>`exists (select 1 from role_assignments as a where a.tenant_id = members.tenant_id and a.user_id = members.id and a.store_id = any(${stores}::uuid[]))`
