import { operatorRolesOf } from '../../kernel/access/operators.ts'
import { storeRuleOf } from '../../kernel/access/store-scope.ts'
import { unsignedPlace } from '../../kernel/db/cursors.ts'
import type { RegisteredRoute } from '../../kernel/registry.ts'
import type { TestCore } from '../core.ts'
import type { Answered } from '../request.ts'
import { type Attempt, listAttempts } from './attempts.ts'
import { routeName } from './catalogue.ts'
import { urlOf } from './fill.ts'
import type { Findings } from './findings.ts'
import { secretsIn } from './secrets.ts'
import { tell } from './tell.ts'
import type { Kind } from './types.ts'
import type { World } from './world.ts'
import { written } from './written.ts'

/** Requests that carry these must be turned away before anything is looked at. */
const WORTHLESS: readonly string[] = ['expired', 'revoked', 'revokedKey', 'none'] satisfies Kind[]
const KEYS: readonly string[] = ['apiKey', 'storeKey'] satisfies Kind[]

export const STORE_HEADER = 'headers/x-store-id'
const TENANT_WIDE: readonly string[] = ['owner', 'superAdmin', 'apiKey', ...WORTHLESS]

/** A route and where ids of the other tenant fit into it. */
export interface Plan {
  route: RegisteredRoute
  attempts: Attempt[]
}

/** Kinds of credential; undefined ones are not tried. */
export type CredentialSet = Readonly<Record<string, string | null | undefined>>

/** Finds the places of every route; what the kit cannot fill is a finding. Afterwards both tenants have one of everything. */
export async function planRoutes(
  world: World,
  routes: readonly RegisteredRoute[],
  findings: Findings,
): Promise<Plan[]> {
  const plans: Plan[] = []
  for (const route of routes) {
    if (world.cases.routes[routeName(route)]?.exempt !== undefined) continue
    try {
      await world.fill(route, world.a, { attempt: true })
      plans.push({ route, attempts: await listAttempts(world, route) })
    } catch (error) {
      findings.addError(error as Error, { before: routeName(route) }) // everything here rejects with Errors
    }
  }
  return plans
}

/** Tries every place of every route with every kind of credential. `secrets`: what only B's own answers may contain. */
export async function tryRoutes(
  world: World,
  plans: Plan[],
  credentials: CredentialSet,
  secrets: readonly string[],
  findings: Findings,
): Promise<void> {
  for (const { route, attempts } of plans) {
    for (const attempt of attempts) {
      for (const [kind, token] of Object.entries(credentials)) {
        if (token === undefined) continue
        if (
          attempt.foreign === null &&
          route.method !== 'GET' &&
          !(WORTHLESS.includes(kind) && route.access !== 'public')
        )
          continue
        if (kind === 'superAdmin' && route.method !== 'GET' && isForOperators(route)) continue
        await tryOnce(world, { route, attempt, kind, token }, secrets, findings)
      }
    }
  }
}

interface Try {
  route: RegisteredRoute
  attempt: Attempt
  /** The credential's name: one of `KINDS`, or a clerk of one store. */
  kind: string
  token: string | null
}

export async function tryOnce(world: World, tried: Try, secrets: readonly string[], findings: Findings): Promise<void> {
  const { route, attempt, kind } = tried
  const after = attempt.foreign === null ? '' : ` with B's id in ${attempt.place}`
  const subject = { before: `${routeName(route)} as `, one: kind, after }
  const say = (what: string, cause?: string) => findings.add(what, subject, cause)
  try {
    const answer = await send(world, tried, true, findings)
    const problem = refusalProblem(world.test, route, kind, answer)
    if (problem) say(problem, answer.status >= 500 ? routeName(route) : undefined)
    // Operators see every tenant; that is what their routes are for.
    if (kind === 'superAdmin' && isForOperators(route)) return
    const [leaked] = secretsIn(answer, attempt.foreign, secrets)
    if (leaked) say(`the answer ${answer.status} shows ${leaked} of ${world.bName}`)
    // That it is not answered as an id that never was is no second finding.
    if (attempt.foreign === null || leaked || answer.status >= 500) return
    if (mayName(tried)) {
      if (isOfNamedStore(route) && answer.status !== 403) say(`it is answered ${answer.status}, not 403`)
    } else await compare(world, tried, answer, findings, say)
  } catch (error) {
    findings.addError(error as Error, subject) // everything here rejects with Errors
  }
}

/** What they do to another tenant they may do. */
const isForOperators = ({ access }: RegisteredRoute) => operatorRolesOf(access) !== null
const isOfNamedStore = ({ access }: RegisteredRoute) => storeRuleOf(access)?.named === STORE_HEADER

/** Who holds something in the whole tenant may name any of its stores: it gives them nothing there. */
const mayName = ({ kind, attempt }: Try) => kind === 'deputy' && attempt.place === STORE_HEADER

/** B's id must be answered as one that never was; and it must be the id that is refused, not the rest of the request. */
async function compare(
  world: World,
  tried: Try,
  answer: Answered,
  findings: Findings,
  say: (what: string, cause?: string) => void,
): Promise<void> {
  const { route, attempt, kind } = tried
  const other = await send(world, tried, false, findings)
  const [seen, expected] = [comparable(route, answer, attempt.foreign ?? ''), comparable(route, other, attempt.unknown)]
  if (seen !== expected) {
    // Some answers are never the same twice, such as figures of the server: then their form has to do.
    const again = await send(world, tried, false, findings)
    const isSteady = comparable(route, again, attempt.unknown) === expected
    if (isSteady || again.status !== answer.status || shapeOf(again.body) !== shapeOf(answer.body))
      say(`it is answered ${seen.slice(0, 300)}, but an id that never was ${expected.slice(0, 300)}`)
  }
  const wrong = kind === 'owner' && Array.isArray(other.body?.errors) ? other.body.errors : []
  const elsewhere = wrong.filter(({ pointer }: { pointer: string }) => pointer !== attempt.place)
  if (elsewhere.length > 0)
    say(
      `the rest of the request is refused: ${JSON.stringify(elsewhere)}; tell its case what is \`given\``,
      routeName(route),
    )
}

async function send(
  world: World,
  { route, attempt, kind, token }: Try,
  isForeign: boolean,
  findings: Findings,
): Promise<Answered> {
  const value = isForeign ? (attempt.foreign ?? '') : attempt.unknown
  const filling = attempt.apply(await world.fill(route, world.a, { attempt: true }), value, isForeign)
  const headers = { ...(await ownStore(world, route, kind)), ...filling.headers }
  findings.sent(kind)
  return world.test.request(route.method, urlOf(route, filling), {
    token,
    ...written(route, { ...filling, headers }),
  })
}

/** Whoever may act in their store alone has to say, on some routes, which that is. */
export async function ownStore({ a }: World, route: RegisteredRoute, kind: string): Promise<Record<string, string>> {
  return isOfNamedStore(route) && !TENANT_WIDE.includes(kind) ? { 'x-store-id': await a.id('/stores') } : {}
}

export function refusalProblem(test: TestCore, route: RegisteredRoute, kind: string, answer: Answered): string | null {
  const { status } = answer
  if (status >= 500) return `it is answered ${tell(test, answer)}`
  if (route.access === 'public') return null
  if (WORTHLESS.includes(kind)) return status === 401 ? null : `it is answered ${status}, not 401`
  if (KEYS.includes(kind) && route.callers === 'people')
    return status === 403 ? null : `it is for people, and is answered ${status}, not 403`
  if (isForOperators(route)) return kind === 'superAdmin' || status === 403 ? null : `it is answered ${status}, not 403`
  if (kind === 'superAdmin' && typeof route.access === 'object' && status < 400)
    return `it is answered ${status} without a tenant`
  return null
}

/** What of an answer must not differ: all but ids and times of the request itself; of something made, its shape. */
function comparable({ method }: RegisteredRoute, { status, body, text }: Answered, sent: string): string {
  if (typeof body !== 'object' || body === null) return `${status} ${text}`
  if (status < 300 && method !== 'GET') return `${status} ${shapeOf(body)}`
  const { request_id: _, milliseconds: _took, next_cursor: cursor, ...rest } = body
  // A cursor is signed for the filters, of which the id is one.
  const place = typeof cursor === 'string' ? unsignedPlace(cursor) : cursor
  return `${status} ${JSON.stringify({ ...rest, next_cursor: place }).replaceAll(sent, '<id>')}`
}

function shapeOf(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(shapeOf).join()}]`
  if (typeof value !== 'object' || value === null) return typeof value
  return `{${Object.entries(value)
    .map(([name, each]) => `${name}:${shapeOf(each)}`)
    .join()}}`
}
