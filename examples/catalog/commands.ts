// catalog/commands.ts: a script is a command of the application's own; it calls operations, which check and record as ever
import { consume, defineCommand, UsageError } from 'tenantry'
import { openStore } from 'tenantry/stores'
import { addArticle } from './operations.ts'
import { retireEverywhere } from './schedules.ts'

export const addArticles = defineCommand({
  name: 'articles add', // one word or two
  summary: 'open a store that sells these articles, all at one price',
  options: { tenant: { type: 'string' }, store: { type: 'string' } },
  operands: 100,
  async run(core, { options: { tenant, store: name }, operands }) {
    if (!tenant || !name) throw new UsageError('--tenant and --store are required') // exit code 2
    // One transaction, by the system: all of it or nothing.
    await core.run(
      async (ctx) => {
        const store = await openStore(ctx, { name })
        for (const name of operands) await addArticle(ctx, { store_id: store.id, name, price_cents: 100 })
        // What `limit` does for a route: the plan counts for scripts too.
        await consume(ctx, 'stores')
        await consume(ctx, 'articles', operands.length)
      },
      { tenantId: tenant },
    )
    process.stdout.write(`${operands.length} added\n`)
  },
})

/** A schedule by hand: what the clock does every 15 minutes, now. */
export const retireArticles = defineCommand({
  name: 'articles retire',
  summary: 'retire what is sold no longer, in every tenant',
  run: (core) => retireEverywhere(core),
})
