import { sql } from '#kernel'

/** Where people stand in stores, for `rows` of a route that reads `members`: those who hold a role in one of them. */
export const peopleOfStores = (stores: readonly string[]) =>
  sql<boolean>`exists (select 1 from role_assignments as a where a.tenant_id = members.tenant_id and a.user_id = members.id and a.store_id = any(${stores}::uuid[]))`
