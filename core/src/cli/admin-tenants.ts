import type { Ctx } from '../kernel/context.ts'
import type { Core } from '../kernel/core.ts'
import { listTenantsNamed, type NamedTenant, reactivate, suspend } from '../modules/admin/index.ts'
import { planRemoval } from '../modules/tenant-removal/index.ts'
import { getTenant } from '../modules/tenants/index.ts'
import { requireModules } from './admin-modules.ts'
import { type Command, say, type Values } from './command.ts'
import { explain, UsageError } from './failures.ts'
import { readLine } from './line-option.ts'
import { counted } from './migrate.ts'
import { withCore } from './own-command.ts'

const MOST_REASON = 1_000
const options = {
  tenant: { type: 'string', multiple: true },
  'dry-run': { type: 'boolean' },
} as const // the words are the types

const HELP = `Each is done by itself and recorded in its own log and in that of the installation, as done by the system. Nothing is done when one of
them is unknown. Exit code 0 when all are as they should be, 1 otherwise.

  --tenant     a slug or an id; may be given more than once
  --dry-run    only say what would be done`

export const adminSuspend: Command = {
  summary: 'keep everybody out of tenants',
  help: (cli) => `Usage: ${cli} admin suspend --tenant <slug|id>... --reason <text> [--dry-run]

Keeps the people and keys of these tenants out, in every process within a second. Nothing is lost, and their jobs go on. ${HELP}
  --reason     why; the tenant finds it in its own log afterwards`,
  options: { ...options, reason: { type: 'string' } },
  run(values, lineOptions) {
    const reason = readLine('--reason', values.reason, MOST_REASON)
    const act = { from: ['active'], done: ['suspended'], word: 'suspended', work: (ctx: Ctx) => suspend(ctx, reason) }
    return withCore(lineOptions, (core) => actOnAll(core, values, act))
  },
}

export const adminReactivate: Command = {
  summary: 'let everybody into suspended or deleted tenants again',
  help: (cli) => `Usage: ${cli} admin reactivate --tenant <slug|id>... [--dry-run]

Lets the people and keys of these tenants in again. A deleted one becomes what it was before, active or suspended, as long as its data
is not being removed yet. ${HELP}`,
  options,
  run: (values, lineOptions) =>
    withCore(lineOptions, (core) =>
      actOnAll(core, values, {
        from: ['suspended', 'deleted'],
        done: ['active'],
        word: 'reactivated',
        work: async (ctx) => {
          await reactivate(ctx)
          return `is ${(await getTenant(ctx.tx, ctx.tenantId)).status} now`
        },
      }),
    ),
}

export const adminDelete: Command = {
  summary: 'delete tenants, as can be undone for thirty days',
  help: (cli) => `Usage: ${cli} admin delete --tenant <slug|id>... [--reason <text>] [--dry-run]

Keeps the people and keys of these tenants out, in every process within a second, and has all their work wait; their owners are told by
mail. After thirty days all of their data is removed for good; until then "admin reactivate" undoes it. ${HELP}
  --reason     why; the tenant finds it in its own log until then`,
  options: { ...options, reason: { type: 'string' } },
  run(values, lineOptions) {
    const reason = values.reason === undefined ? null : readLine('--reason', values.reason, MOST_REASON)
    const work = async (ctx: Ctx) =>
      `is deleted now, and removed for good from ${(await planRemoval(ctx, reason)).purge_at} on`
    const act = { from: ['active', 'suspended'], done: ['deleted'], word: 'deleted', work }
    return withCore(lineOptions, (core) => actOnAll(core, values, act))
  },
}

interface Act {
  /** The statuses that it is for, and those of tenants of which nothing is to be done any more. */
  from: readonly string[]
  done: readonly string[]
  /** What they are afterwards. */
  word: string
  /** A text says more of what became of it. */
  work(ctx: Ctx): Promise<unknown>
}

async function actOnAll(core: Core, values: Values, act: Act): Promise<number> {
  requireModules(core, 'admin')
  const tenants = await readTenants(core, values)
  const isDry = values['dry-run'] === true
  let [acted, failed] = [0, 0]
  for (const tenant of tenants) {
    const { slug, id, name, status } = tenant
    const line = `${slug} (${id}, ${name})`
    if (act.done.includes(status)) say(`${line}: is ${status} already`)
    else if (isDry && act.from.includes(status)) say(`${line}: would be ${act.word}`)
    else if (await actOn(core, tenant, act, line)) acted++
    else failed++
  }
  if (isDry) say(`Nothing was done to ${counted(tenants.length, 'tenant')}: a dry run.`)
  else say(`${counted(acted, 'tenant')} ${acted === 1 ? 'is' : 'are'} ${act.word} now.`)
  return failed === 0 ? 0 : 1
}

/** False, and said, when it could not be done. */
async function actOn(core: Core, { id, status }: NamedTenant, act: Act, line: string): Promise<boolean> {
  try {
    if (!act.from.includes(status)) throw new Error(`The tenant is ${status}, not ${act.from.join(' or ')}`)
    const more = await core.run(act.work, { role: 'system', tenantId: id })
    say(`${line}: ${typeof more === 'string' ? more : `is ${act.word} now`}`)
    return true
  } catch (error) {
    say(`${line}: ${explain(error)}`)
    return false
  }
}

/** Each once. Throws with all that are unknown, and for a name that is one tenant's id and another's slug. */
async function readTenants(core: Core, { tenant }: Values): Promise<NamedTenant[]> {
  const names = Array.isArray(tenant) ? tenant.map(String) : []
  if (names.length === 0) throw new UsageError('--tenant is required: a slug or an id')
  const found = new Map<string, NamedTenant>()
  const unknown: string[] = []
  await core.run(
    async ({ tx }) => {
      for (const name of names) {
        const [known, other] = await listTenantsNamed(tx, name)
        if (other) throw new Error(`${name} is the id of one tenant and the slug of another; nothing was done.`)
        if (known) found.set(known.id, known)
        else unknown.push(name)
      }
    },
    { role: 'system', tenantId: null, readOnly: true },
  )
  if (unknown.length > 0) throw new Error(`There is no tenant ${unknown.join(', ')}; nothing was done.`)
  return [...found.values()]
}
