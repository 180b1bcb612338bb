import { operatorRolesOf } from '../../kernel/access/operators.ts'
import { newId } from '../../kernel/ids.ts'
import { routeName } from './catalogue.ts'
import { urlOf } from './fill.ts'
import type { Findings } from './findings.ts'
import type { Plan } from './requests.ts'
import { tell } from './tell.ts'
import type { Credentials, Filled, OperatorCredentials } from './types.ts'
import type { World } from './world.ts'
import { written } from './written.ts'

/** Who may all that there is to do in a tenant, or a part of it: nothing of that is for operators. */
const ORDINARY = ['owner', 'staff', 'apiKey', 'storeKey'] as const // kinds

/**
 * Tries every route of operators with every ordinary credential, and with operators of one role each: nobody gets in but
 * whom the route names. What is let in asks for ids that never were, so that nothing is done.
 */
export async function tryOperators(
  world: World,
  plans: readonly Plan[],
  { ordinary, operators }: { ordinary: Credentials; operators: OperatorCredentials },
  findings: Findings,
): Promise<void> {
  const refused = ORDINARY.flatMap((kind) => (ordinary[kind] === undefined ? [] : [[kind, ordinary[kind]] as const]))
  for (const { route } of plans) {
    const roles: readonly string[] | null = operatorRolesOf(route.access)
    if (roles === null) continue
    for (const [kind, token] of refused) await tryOne(world, { route, kind, token, isNamed: false }, findings)
    for (const [role, token] of Object.entries(operators))
      await tryOne(world, { route, kind: `${role} operator`, token, isNamed: roles.includes(role) }, findings)
  }
}

interface Try extends Pick<Plan, 'route'> {
  kind: string
  token: string
  /** The route says that it takes the role. */
  isNamed: boolean
}

async function tryOne(world: World, { route, kind, token, isNamed }: Try, findings: Findings): Promise<void> {
  const isHarmless = route.method === 'GET' || route.path.includes('/:')
  if (isNamed && !isHarmless) return
  const subject = { before: `${routeName(route)} as `, one: kind }
  try {
    const filling = await world.fill(route, world.a, { attempt: true })
    const sent = isNamed ? toNobody(filling) : filling
    findings.sent(kind)
    const answer = await world.test.request(route.method, urlOf(route, sent), { token, ...written(route, sent) })
    const isRefused = answer.status === 403
    if (answer.status >= 500) findings.add(`it is answered ${tell(world.test, answer)}`, subject, routeName(route))
    else if (isNamed && (isRefused || answer.status === 401))
      findings.add(`the route names the role, and answers ${answer.status}`, subject)
    else if (!isNamed && !isRefused) findings.add(`it is answered ${answer.status}, not 403`, subject)
  } catch (error) {
    findings.addError(error as Error, subject) // everything here rejects with Errors
  }
}

const toNobody = (filling: Filled): Filled => ({
  ...filling,
  params: Object.fromEntries(Object.keys(filling.params).map((name) => [name, newId()])),
})
