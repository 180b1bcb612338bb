import { ONLY_READS } from '../../kernel/access/impersonation.ts'
import type { RegisteredRoute } from '../../kernel/registry.ts'
import { routeName } from './catalogue.ts'
import { urlOf } from './fill.ts'
import type { Findings } from './findings.ts'
import { type Plan, STORE_HEADER, tryOnce } from './requests.ts'
import { takeSnapshot } from './tables.ts'
import { tell } from './tell.ts'
import type { Filled, ImpersonatedCredentials } from './types.ts'
import type { World } from './world.ts'
import { written } from './written.ts'

const KIND = 'impersonated'

/**
 * Tries every route as an operator who acts as tenant A's owner. What the routes say is refused is refused, and changes
 * nothing of A; whoever only reads changes nothing by what is left; and nothing of tenant B is reached, as by A's owner.
 */
export async function tryImpersonated(
  world: World,
  plans: readonly Plan[],
  { reads, writes }: ImpersonatedCredentials,
  secrets: readonly string[],
  findings: Findings,
): Promise<void> {
  const refused = plans.flatMap(({ route }): Try[] => {
    if (route.impersonation === 'refused') return [reads, writes].map((token) => ({ route, token }))
    return route.impersonation === 'writes' ? [{ route, token: reads }] : []
  })
  const ready = await prepareAll(world, refused, findings)
  await watch(world, 'requests under impersonation that are to be refused', findings, async () => {
    for (const each of ready) await expectRefusal(world, each, findings)
  })
  const looked = plans.filter(({ route }) => route.impersonation === 'reads')
  const asked = await prepareAll(
    world,
    looked.map(({ route }) => ({ route, token: reads })),
    findings,
  )
  await watch(world, 'requests of an operator who only reads', findings, async () => {
    for (const each of asked) await expectNoWrite(world, each, findings)
  })
  // The store of a request is looked up before anything of the route, as for everybody.
  for (const { route, attempts } of looked)
    for (const attempt of attempts)
      if (attempt.foreign !== null && attempt.place !== STORE_HEADER)
        await tryOnce(world, { route, attempt, kind: KIND, token: reads }, secrets, findings)
}

interface Try {
  route: RegisteredRoute
  token: string
}
interface Ready extends Try {
  filling: Filled
}

/** Made before anything is watched: what a request needs is made for it. */
async function prepareAll(world: World, tries: readonly Try[], findings: Findings): Promise<Ready[]> {
  const ready: Ready[] = []
  for (const { route, token } of tries)
    try {
      ready.push({ route, token, filling: await world.fill(route, world.a, { attempt: true }) })
    } catch (error) {
      findings.addError(error as Error, { before: routeName(route) }) // everything here rejects with Errors
    }
  return ready
}

const send = (world: World, { route, token, filling }: Ready, findings: Findings) => {
  findings.sent(KIND)
  return world.test.request(route.method, urlOf(route, filling), { ...written(route, filling), token })
}

async function expectRefusal(world: World, ready: Ready, findings: Findings): Promise<void> {
  const answer = await send(world, ready, findings)
  if (answer.status === 403 && answer.body?.code === 'permission_denied') return
  const subject = { before: `${routeName(ready.route)} as `, one: KIND }
  findings.add(`it is answered ${tell(world.test, answer)}, not 403 permission_denied`, subject)
}

/** What says that it only reads, and is harmless so, does it without a write. */
async function expectNoWrite(world: World, ready: Ready, findings: Findings): Promise<void> {
  const answer = await send(world, ready, findings)
  const subject = { before: `${routeName(ready.route)} as `, one: KIND }
  if (answer.status >= 500) findings.add(`it is answered ${tell(world.test, answer)}`, subject, routeName(ready.route))
  else if (answer.body?.detail === ONLY_READS)
    findings.add('it says that it only reads (impersonation), and writes', subject)
}

/** Where requests under impersonation are to leave something, and what of keys is counted a while after theirs. */
const MAY_CHANGE: readonly string[] = ['audit_logs', 'global_audit_logs', 'api_keys', 'api_key_usage']

/** Finds what of tenant A changed meanwhile but its log. */
async function watch(world: World, what: string, findings: Findings, work: () => Promise<void>): Promise<void> {
  const own = { ...world, b: world.a }
  const before = await takeSnapshot(own)
  await work()
  const now = await takeSnapshot(own)
  for (const part of ['owned', 'named'] as const) // the words are fields
    for (const [name, rows] of before[part])
      if (
        !MAY_CHANGE.includes(name) &&
        JSON.stringify(rows.toSorted()) !== JSON.stringify(now[part].get(name)?.toSorted())
      )
        findings.add(`table ${name}: rows of tenant A changed during ${what}`)
}
