// The main of an application: modules and commands of its own, run by what the core is run by.
import { defineCommand, runCommand, UsageError } from '../src/index.ts'
import { builtinAuthForTests, toy } from './toy-module.ts'

const addToys = defineCommand({
  name: 'toys add',
  summary: 'Make toys for a tenant',
  help: 'Makes a toy of each name, all or none.',
  options: {
    tenant: { type: 'string', short: 't' },
    mark: { type: 'string', multiple: true },
    fail: { type: 'boolean' },
  },
  operands: 2,
  async run(core, { options: { tenant, mark = [], fail = false }, operands }) {
    if (tenant === undefined) throw new UsageError('--tenant is required')
    const added = await core.run(
      async (ctx) => {
        for (const name of operands) {
          const moment = ctx.clock.now()
          const row = { name: [name, ...mark].join(' '), noticed: false, created_at: moment, updated_at: moment }
          await ctx.tx
            .insertInto('toys')
            .values({ ...row, tenant_id: ctx.tenantId, id: crypto.randomUUID() })
            .execute()
        }
        if (fail) throw new Error('the shelf broke')
        return operands.length
      },
      { tenantId: builtinAuthForTests.tenant(tenant) },
    )
    core.log.info({ added }, 'toys were added')
    process.stdout.write(`${added}\n`)
    return added === 0 ? 3 : undefined
  },
})

export const shop = (args: string[]) =>
  runCommand(args, { modules: [toy], commands: [addToys], product: { name: 'Toy shop', version: '7.1.0' } })

if (import.meta.main) await shop(process.argv.slice(2))
