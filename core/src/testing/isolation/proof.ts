import { operatorRolesOf } from '../../kernel/access/operators.ts'
import type { RegisteredRoute } from '../../kernel/registry.ts'
import type { Answered } from '../request.ts'
import { routeName } from './catalogue.ts'
import { urlOf } from './fill.ts'
import type { Findings } from './findings.ts'
import type { Plan } from './requests.ts'
import { tell } from './tell.ts'
import type { Credentials, Filled, Tenant } from './types.ts'
import type { World } from './world.ts'
import { written } from './written.ts'

/**
 * Shows that attempts mean something: every reading route answers tenant B's owner about B. Otherwise a 404 for the
 * others would prove nothing. Gives whether any answer contains B's marker, for which the others' answers are searched.
 */
export async function proveReading(
  world: World,
  plans: Plan[],
  credentials: Credentials,
  findings: Findings,
): Promise<boolean> {
  let shown = 0
  for (const { route } of plans) {
    if (route.method !== 'GET' || isUnproven(world, route)) continue
    const answer = await succeed(world, route, world.b, credentials, findings)
    if (answer?.text.toLowerCase().includes(world.b.marker)) shown++
  }
  return shown > 0 || !plans.some(({ route }) => route.method === 'GET' && isOfTenants(route))
}

/**
 * Shows that every writing route works for tenant A's owner with A's own objects, made for this, and that the
 * credentials have lived until now. Runs last, since these requests do what they say.
 */
export async function proveWriting(
  world: World,
  plans: Plan[],
  credentials: Credentials,
  findings: Findings,
): Promise<void> {
  await proveAlive(world, plans, credentials, findings)
  const order = ['PUT', 'PATCH', 'POST', 'DELETE']
  const writing = plans.filter(({ route }) => order.includes(route.method) && !isUnproven(world, route))
  writing.sort((one, other) => order.indexOf(one.route.method) - order.indexOf(other.route.method))
  for (const { route } of writing) await succeed(world, route, world.a, credentials, findings)
}

async function proveAlive(world: World, plans: Plan[], credentials: Credentials, findings: Findings): Promise<void> {
  const reading = plans.find(
    ({ route }) => route.method === 'GET' && route.access !== 'public' && operatorRolesOf(route.access) === null,
  )
  if (!reading) return
  const url = urlOf(reading.route, await world.fill(reading.route, world.a))
  for (const kind of ['owner', 'staff', 'apiKey', 'storeKey', 'superAdmin'] as const) {
    const token = credentials[kind]
    if (token === undefined) continue
    const { status } = await world.test.request('GET', url, { token })
    if (status === 401)
      findings.add('it ended during the attempts: what came after proves nothing', {
        before: 'the credential ',
        one: kind,
      })
  }
}

const isOfTenants = ({ access }: RegisteredRoute) => typeof access === 'object' && 'permission' in access
const isUnproven = ({ cases }: World, route: RegisteredRoute) => cases.routes[routeName(route)]?.unproven !== undefined

async function succeed(
  world: World,
  route: RegisteredRoute,
  tenant: Tenant,
  credentials: Credentials,
  findings: Findings,
): Promise<Answered | null> {
  const isWriting = route.method !== 'GET'
  let answer: Answered | undefined
  try {
    // Some requests end the session that they are sent in, or all.
    if (isWriting) tenant.owner = await tenant.signIn()
    for (const complete of (route.body ?? route.form) ? [true, false] : [true]) {
      const whose = isWriting ? await world.afresh(tenant) : tenant
      const filling = await world.fill(route, whose, { complete })
      answer = await world.test.request(route.method, urlOf(route, filling), {
        token: filling.token ?? tokenFor(route, tenant, credentials),
        ...written(route, filling),
      })
      if (answer.status >= 300) continue
      await look(world, route, { answer, filling, whose }, findings)
      return answer
    }
    if (answer) addFailure(world, route, answer, findings)
  } catch (error) {
    findings.addError(error as Error, { before: routeName(route) }) // everything here rejects with Errors
  }
  return null
}

function addFailure({ test }: World, route: RegisteredRoute, answer: Answered, findings: Findings): void {
  const told = tell(test, answer, '; tell its case what is `given`, or why it is `unproven`')
  const what = answer.status >= 500 ? 'it is answered' : 'the kit cannot fill it: its owner is answered'
  findings.add(`${what} ${told}`, { before: routeName(route) }, routeName(route))
}

/** What a case says of an answer holds here too. */
async function look(
  { cases }: World,
  route: RegisteredRoute,
  { answer, filling, whose }: { answer: Answered; filling: Filled; whose: Tenant },
  findings: Findings,
): Promise<void> {
  try {
    await cases.routes[routeName(route)]?.see?.(answer, filling, whose)
  } catch (error) {
    findings.add(`it succeeds, but not as its case expects: ${(error as Error).message}`, { before: routeName(route) }) // assertions are Errors
  }
}

function tokenFor({ access }: RegisteredRoute, { owner }: Tenant, { superAdmin }: Credentials): string | null {
  if (access === 'public') return null
  return operatorRolesOf(access) === null ? owner : (superAdmin ?? null)
}
