import type { OperatorRole } from '../kernel/access/operators.ts'
import { MINUTES } from '../kernel/clock.ts'
import type { Ctx } from '../kernel/context.ts'
import type { Core } from '../kernel/core.ts'
import { anonymousActor, createContext, noOrigin } from '../kernel/create-context.ts'
import { newId } from '../kernel/ids.ts'
import type { Method } from '../kernel/module.ts'
import { auth, completeSignIn } from '../modules/auth/index.ts'
import { createMember } from '../modules/members/index.ts'
import { assignRole, createRole, getSystemRole, type SystemRoleKey } from '../modules/roles/index.ts'
import { foundTenant as found } from '../modules/tenants/index.ts'
import { addUser, changeOperatorRoles } from '../modules/users/index.ts'
import type { Answered, RequestOptions } from './request.ts'

type Request = (method: string, url: string, options?: RequestOptions) => Promise<Answered>

/** Somebody signed in to a tenant, by a session like anybody's: a revocation or a disabled account stops them too. */
export interface TestPerson {
  userId: string
  /** Proven. */
  email: string
  name: string
  /** Null: no tenant, or whichever a sign-in takes them to. */
  tenantId: string | null
  /** An access token that is good now. */
  token(): Promise<string>
  /** The same person in a session of its own: in another tenant, or, without one, where a sign-in takes them. */
  in(tenantId?: string): TestPerson
  /** Sends a request under `/api/v1`; the answer is checked against the API document. */
  request(method: Method, path: `/${string}`, options?: Omit<RequestOptions, 'token'>): Promise<Answered>
  get(path: `/${string}`): Promise<Answered>
  post(path: `/${string}`, body?: unknown): Promise<Answered>
  put(path: `/${string}`, body: unknown): Promise<Answered>
  delete(path: `/${string}`): Promise<Answered>
}

export interface TenantOptions {
  /** Default: one that nobody else has. */
  name?: string
  /** Code of the plan, paid for a month. Default: what a new tenant gets, which is a trial. */
  plan?: string
}

export interface MemberOptions {
  /** A built-in role, or the id of another. Default: none. */
  role?: SystemRoleKey | (string & {})
  /** A role of just these permissions, made for this person. */
  permissions?: readonly string[]
  /** The store that the role is held in. Default: the whole tenant. */
  store?: string | null
  name?: string
}

/** A tenant with its owner and everything that the modules give a new one. */
export interface TestTenant {
  id: string
  name: string
  owner: TestPerson
  /** Somebody who joins the tenant, without being invited. */
  member(options?: MemberOptions): Promise<TestPerson>
  /** Runs as the system in this tenant, in a transaction. */
  run<T>(work: (ctx: Ctx) => Promise<T>): Promise<T>
}

/** Founds a tenant past the front door: no password is hashed and no mail is sent. Needs the built-in sign-in. */
export async function foundTenant(core: Core, request: Request, options: TenantOptions = {}): Promise<TestTenant> {
  if (!core.registry.modules.includes(auth)) throw new Error('foundTenant needs the module auth among the modules')
  const id = newId()
  const { name = `Tenant ${id.slice(-8)}`, plan } = options
  const { run, member } = peopleOf(core, request, id)
  const founder = await run(async (ctx) => {
    const user = await addProven(ctx, 'Olga Owner')
    await found(ctx, { id, name, founder: { userId: user.id, name: user.name } })
    return user
  })
  if (plan !== undefined) await subscribe(core, id, plan)
  return {
    id,
    name,
    run,
    owner: personOf(core, request, { userId: founder.id, email: founder.email, name: founder.name, tenantId: id }),
    member,
  }
}

/** The people of a tenant that is there already. */
export function peopleOf(core: Core, request: Request, tenantId: string): Pick<TestTenant, 'run' | 'member'> {
  const run: TestTenant['run'] = (work) => core.run(work, { tenantId })
  return {
    run,
    member: async (options = {}) => {
      const { id: userId, email, name } = await run((ctx) => join(ctx, options))
      return personOf(core, request, { userId, email, name, tenantId })
    },
  }
}

/** Somebody who belongs to no tenant yet. */
export async function addPerson(core: Core, request: Request, name = 'Paula Person'): Promise<TestPerson> {
  const user = await core.run((ctx) => addProven(ctx, name))
  return personOf(core, request, { userId: user.id, email: user.email, name, tenantId: null })
}

/** Somebody who runs the installation, and belongs to no tenant. */
export async function addOperator(core: Core, request: Request, roles: readonly OperatorRole[]): Promise<TestPerson> {
  const person = await addPerson(core, request, 'Opal Operator')
  await core.run((ctx) => changeOperatorRoles(ctx, person.userId, roles), { role: 'system', tenantId: null })
  return person
}

const addProven = (ctx: Ctx, name: string) =>
  addUser(ctx, { email: `${newId()}@example.com`, name, emailVerifiedAt: ctx.clock.now() })

async function join(ctx: Ctx, { role, permissions, store = null, name = 'Max Member' }: MemberOptions) {
  if (role !== undefined && permissions) throw new Error('A member gets a role or permissions, not both')
  const user = await addProven(ctx, name)
  await createMember(ctx, { user, name, roles: [] })
  const roleId = permissions ? await roleOf(ctx, permissions, store) : role && (await roleNamed(ctx, role))
  if (roleId) await assignRole(ctx, { userId: user.id, roleId, storeId: store }, { preauthorized: true })
  return user
}

async function roleOf(ctx: Ctx, permissions: readonly string[], store: string | null): Promise<string> {
  const scope = store === null ? 'tenant' : 'store'
  return (await createRole(ctx, { name: `Role ${newId()}`, scope, permissions: [...permissions] })).id
}

async function roleNamed(ctx: Ctx, role: string): Promise<string> {
  if (!isSystemRole(role)) return role
  return (await getSystemRole(ctx.tx, ctx.tenantId, role)).id
}

const SYSTEM_ROLES: readonly string[] = ['owner', 'admin', 'manager', 'staff', 'viewer'] satisfies SystemRoleKey[]
const isSystemRole = (role: string): role is SystemRoleKey => SYSTEM_ROLES.includes(role)

/** As if it had been chosen and paid a moment ago, for a month; what follows is due then. */
async function subscribe(core: Core, tenantId: string, plan: string): Promise<void> {
  const changed = await core.db.systemQuery(
    `update subscriptions s
        set plan_id = p.id, pending_plan_id = null, status = 'active', trial_ends_at = null, anchored_at = $1,
            current_period_start = $1, current_period_end = $1::timestamptz + interval '1 month',
            next_change_at = $1::timestamptz + interval '1 month', payment_provider = 'manual',
            payment_method = '{"type": "invoice", "label": "Invoice", "last4": null, "expires": null}'
       from plans p where p.code = $2 and s.tenant_id = $3 returning s.id`,
    [core.clock.now(), plan, tenantId],
  )
  if (changed.length === 0) throw new Error(`There is no plan ${plan}`)
}

type Who = Pick<TestPerson, 'userId' | 'email' | 'name' | 'tenantId'>

function personOf(core: Core, send: Request, who: Who): TestPerson {
  let token = ''
  let goodUntil = 0
  const signIn = async () => {
    // Before it ends: a test moves the clock by minutes and months.
    if (core.clock.ms() < goodUntil) return token
    const ctx = createContext(core, { tenant: null, storeId: null, actor: anonymousActor, origin: noOrigin })
    const answer = await core.db.aside(() =>
      completeSignIn(ctx, { userId: who.userId, method: 'test', tenantId: who.tenantId }),
    )
    if (!('access_token' in answer)) throw new Error(`${who.name} has a second factor, which this sign-in has not`)
    token = answer.access_token
    goodUntil = core.clock.ms() + answer.expires_in * 1000 - 1 * MINUTES
    return token
  }
  const request: TestPerson['request'] = async (method, path, options = {}) =>
    send(method, `/api/v1${path}`, { ...options, token: await signIn() })
  return {
    ...who,
    token: signIn,
    in: (tenantId) => personOf(core, send, { ...who, tenantId: tenantId ?? null }),
    request,
    get: (path) => request('GET', path),
    post: (path, body = {}) => request('POST', path, { body }),
    put: (path, body) => request('PUT', path, { body }),
    delete: (path) => request('DELETE', path),
  }
}
