import type { Ctx } from 'tenantry'

/** The tables of all built-in modules are known by their columns, of whatever else is imported; and what is no table is not. */
export async function listNames(ctx: Ctx): Promise<string[]> {
  // @ts-expect-error no module declares this table
  ctx.tx.selectFrom('no_such_table')
  const members = await ctx.tx.selectFrom('members').select('name').where('tenant_id', '=', ctx.tenantId).execute()
  return members.map(({ name }) => name)
}
