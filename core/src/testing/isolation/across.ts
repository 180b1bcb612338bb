import type { RegisteredRoute } from '../../kernel/registry.ts'
import { routeName } from './catalogue.ts'
import { overlay, urlOf } from './fill.ts'
import type { Findings } from './findings.ts'
import { type CredentialSet, ownStore, type Plan, refusalProblem } from './requests.ts'
import { asSchema, isIdName } from './samples.ts'
import { secretsIn } from './secrets.ts'
import type { Filling } from './types.ts'
import type { World } from './world.ts'
import { written } from './written.ts'

const UNTOLD =
  'nobody knows which ids its raw body or its cookies carry; tell its case how one is sent `across`, or null where there are none'

/**
 * Sends what the cases send `across`: requests of one tenant that name something of the other where no schema shows it.
 * `watch` runs all requests of a route and finds what they changed.
 */
export async function tryAcross(
  world: World,
  plans: readonly Plan[],
  credentials: CredentialSet,
  secrets: readonly string[],
  findings: Findings,
  watch: (what: string, work: () => Promise<void>) => Promise<void> = (_, work) => work(),
): Promise<void> {
  for (const { route } of plans) {
    const { across, unproven } = world.cases.routes[routeName(route)] ?? {}
    if (across === undefined && unproven === undefined && carriesUnseen(route))
      findings.add(UNTOLD, { before: routeName(route) })
    if (!across) continue
    // What it makes of the other tenant the first time is not done by the request.
    await Promise.resolve(across(world.a, world.b)).catch(() => {})
    await watch(`${routeName(route)} as its case sends it \`across\``, async () => {
      for (const [kind, token] of Object.entries(credentials)) {
        if (token === undefined) continue
        const subject = { before: `${routeName(route)} as `, one: kind, after: ' as its case sends it `across`' }
        findings.sent(kind)
        try {
          const parts = await across(world.a, world.b)
          for (const problem of await sendAcross(world, { route, kind, token, parts }, secrets))
            findings.add(problem, subject)
        } catch (error) {
          findings.addError(error as Error, subject) // everything here rejects with Errors
        }
      }
    })
  }
}

interface Sent {
  route: RegisteredRoute
  kind: string
  token: string | null
  parts: Filling
}

async function sendAcross(world: World, { route, kind, token, parts }: Sent, secrets: readonly string[]) {
  const filling = overlay(await world.fill(route, world.a, { attempt: true }), parts)
  const headers = { ...(await ownStore(world, route, kind)), ...filling.headers }
  const [url, request] = [urlOf(route, filling), written(route, { ...filling, headers })]
  const answer = await world.test.request(route.method, url, { token, ...request })
  const said = `${url} ${JSON.stringify(request)} ${request.payload}`.toLowerCase()
  const leaked = secretsIn(answer, null, secrets).find((secret) => !said.includes(secret.toLowerCase()))
  return [
    refusalProblem(world.test, route, kind, answer),
    leaked && `the answer ${answer.status} shows ${leaked} of ${world.bName}`,
  ].filter((problem) => typeof problem === 'string')
}

/** Whether ids may stand where the kit cannot see them: in bytes, or in cookies. */
function carriesUnseen({ raw, cookies }: RegisteredRoute): boolean {
  const named = Object.entries(asSchema(cookies).properties ?? {})
  return raw !== undefined || named.some(([name, { format }]) => isIdName(name) || format === 'uuid')
}
