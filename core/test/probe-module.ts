import Type from 'typebox'
import {
  type Authenticator,
  Closed,
  type Core,
  type Ctx,
  conflict,
  defineEvent,
  defineJob,
  defineModule,
  defineRoute,
  type EventRecord,
  ListQuery,
  type Module,
  Nullable,
  on,
  onEvery,
  Page,
  type Principal,
  page,
  preparedList,
  rateLimited,
  type Standing,
  stamp,
  type TenantRow,
  Timestamp,
  Uuid,
  within,
} from '#kernel'
import { claim, claims } from '../src/kernel/access/sign-in.fixture.ts'

export { until } from '../src/testing/until.ts'

declare module '#kernel' {
  interface Tables {
    probes: TenantRow & { label: string }
  }
}

const Label = Closed({ label: Type.String() })

/** What jobs, listeners and routes of the probe do beside writing a row; each test sets what it needs. */
export const behaviour: {
  job?: (ctx: Ctx, label: string) => Promise<unknown>
  listener?: (ctx: Ctx, name: string) => Promise<unknown>
  /** In the transaction of the event. */
  inner?: (ctx: Ctx, event: EventRecord) => Promise<unknown>
  route?: (ctx: Ctx, label: string) => Promise<unknown>
  schedule?: (ctx: Ctx) => Promise<unknown>
  permissions?: (userId: string) => string[]
  /** The role that gives the permissions; default `x`. */
  roleId?: string | undefined
  /** Awaited while a principal's standing is looked up. */
  standing?: () => Promise<void>
  /** Of every principal and every standing, beside what is usual. */
  principal?: Partial<Principal> | undefined
  limits?: Partial<Standing> | undefined
} = {}

export async function writeProbe(ctx: Ctx, label: string) {
  const row = { ...stamp(ctx), label }
  await ctx.tx.insertInto('probes').values(row).execute()
  return row
}

export const managedJob = defineJob('probe.managed', {
  payload: Label,
  maxAttempts: 3,
  handler: async (ctx, { label }) => {
    await writeProbe(ctx, label)
    await behaviour.job?.(ctx, label)
  },
})

export const manualJob = defineJob('probe.manual', {
  payload: Label,
  maxAttempts: 3,
  transaction: 'manual',
  handler: async (ctx, { label }) => {
    await ctx.transaction((inner) => writeProbe(inner, label))
    await behaviour.job?.(ctx, label)
  },
})

/** Without any table: usable outside of a tenant too. */
export const plainJob = defineJob('probe.plain', {
  payload: Label,
  maxAttempts: 3,
  handler: async (ctx, { label }) => {
    await behaviour.job?.(ctx, label)
  },
})

export const Gadget = Closed({
  id: Uuid,
  name: Type.String(),
  pin: Type.Unsafe<string>({ type: 'string', secret: true }),
  options: Closed({ colour: Type.String(), key: Type.Unsafe<string>({ type: 'string', secret: true }) }),
  parts: Type.Array(Closed({ name: Type.String(), code: Type.Unsafe<string>({ type: 'string', secret: true }) })),
  updated_at: Timestamp,
})
export const gadgetChanged = defineEvent('gadget.changed', { description: 'A gadget was changed', data: Gadget })
export const gadgetLost = defineEvent('gadget.lost', { description: 'Nobody follows this one by name', data: Gadget })

const open = (more: object) =>
  Type.Unsafe<Record<string, unknown>>({ type: 'object', additionalProperties: true, ...more })
/** Its schema leaves open what stands in it. */
export const gadgetTuned = defineEvent('gadget.tuned', {
  description: 'Settings of a gadget were changed',
  data: Closed({
    extra: open({}),
    plain: open({ recorded: 'whole' }),
    serial: Type.Unsafe<string>({ type: 'string', recorded: 'hashed' }),
    maybe: Nullable(open({})),
    any: Type.Array(Type.Unknown()),
  }),
})

const Probe = Closed({ id: Uuid, tenant_id: Uuid, label: Type.String(), created_at: Timestamp, updated_at: Timestamp })

const post = (path: `/${string}`, transaction?: 'manual') =>
  defineRoute({
    method: 'POST',
    path,
    summary: 'Write a probe',
    access: { permission: 'probe.write' },
    body: Label,
    response: { 201: Probe },
    errors: [conflict, rateLimited],
    ...(transaction ? { transaction } : {}),
    handler: async (ctx, { body }) => {
      const write = (inner: Ctx) => writeProbe(inner, body.label)
      const row = transaction ? await ctx.transaction(write) : await write(ctx)
      await behaviour.route?.(ctx, body.label)
      return row
    },
  })

const listProbes = preparedList((tx, tenantId, { label }: { label?: string }) => {
  const all = tx.selectFrom('probes').selectAll().where('tenant_id', '=', tenantId)
  return label === undefined ? all : all.where('label', '=', label)
})

const list = (path: `/${string}`) =>
  defineRoute({
    method: 'GET',
    path,
    summary: 'List probes',
    access: { permission: 'probe.write' },
    query: ListQuery({ label: Type.Optional(Type.String()) }),
    response: { 200: Page(Probe) },
    handler: (ctx, { query }) => page(ctx, listProbes(ctx.tx, ctx.tenantId, query), { by: ['created_at', 'id'] }),
  })

const authenticator: Authenticator = {
  ...claims,
  identify: async (...args) => ({ ...(await claims.identify(...args)), ...behaviour.principal }),
  standing: async (...args) => {
    await behaviour.standing?.()
    return { ...(await claims.standing(...args)), ...behaviour.limits }
  },
}

/** A tenant, or a person, by any short name. */
export const tenantOf = (name: string) =>
  `00000000-0000-7000-8000-${Buffer.from(name).toString('hex').padStart(12, '0')}`
export const tokenOf = (tenant: string, user = 'anna') =>
  claim({ tenantId: tenantOf(tenant), userId: tenantOf(user), label: user })

/** A module that lets tests look into the kernel from every side. */
export const probe: Module = defineModule({
  name: 'probe',
  migrations: new URL('./probe-migrations/', import.meta.url),
  permissions: { 'probe.write': 'Write probes', 'probe.read': 'Read probes' },
  events: [gadgetChanged, gadgetLost, gadgetTuned],
  jobs: [managedJob, manualJob, plainJob],
  listeners: [
    on(gadgetChanged, 'probe.first', async (ctx, { name }) => void (await behaviour.listener?.(ctx, `first ${name}`))),
    within(gadgetTuned, 'probe.inner', async (ctx, event) => void (await behaviour.inner?.(ctx, event))),
    onEvery('probe.all', async (ctx, { name }) => void (await behaviour.listener?.(ctx, `all ${name}`))),
  ],
  authenticators: [authenticator],
  grants: [
    async (_tx, { userId }) => {
      const permissions = behaviour.permissions?.(userId ?? '') ?? ['probe.write']
      return [{ permissions, storeId: null, roleId: behaviour.roleId ?? 'x', role: 'x' }]
    },
  ],
  routes: [post('/probes'), post('/manual-probes', 'manual'), list('/probes'), list('/other-probes')],
})

/** Runs work as the system in a transaction of one tenant. */
export const inTenant = <T>(core: Core, tenant: string, work: (ctx: Ctx) => Promise<T>) =>
  core.run(work, { tenantId: tenantOf(tenant) })

/** How many rows carry the label, over all tenants, as others see it. */
export async function countProbes({ db }: Core, label: string): Promise<number> {
  const count = () => db.systemQuery<{ n: number }>('select count(*)::int as n from probes where label = $1', [label])
  const [row] = await db.aside(count)
  return row?.n ?? 0
}
