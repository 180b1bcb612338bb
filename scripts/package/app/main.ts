import { builtinModules, defineCommand, runCommand, sql } from 'tenantry'
import { shelves } from './shelves.ts'

const countTables = defineCommand({
  name: 'tables count',
  summary: 'Count the tables of tenants',
  options: { above: { type: 'string' } },
  async run(core, { options: { above = '0' } }) {
    const { rows } = await core.run(
      (ctx) => sql<{ count: number }>`select count(*)::int as count from tenantry.tables`.execute(ctx.tx),
      { role: 'system' },
    )
    const count = rows[0]?.count ?? 0
    process.stdout.write(`${count} tables\n`)
    return count > Number(above) ? 0 : 1
  },
})

await runCommand(process.argv.slice(2), {
  modules: [...builtinModules, shelves],
  commands: [countTables],
  product: { name: 'Shop', version: '1.2.3', problemTypes: 'urn:shop:' },
})
