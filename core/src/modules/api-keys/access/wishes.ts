import {
  at,
  type Ctx,
  canonicalNetwork,
  createNetworks,
  type Declared,
  type FieldProblem,
  invalidRequest,
  onBehalfOf,
  permissionDenied,
  type RegisteredRoute,
} from '#kernel'
import { lockMember } from '../../members/index.ts'
import { findStores } from '../../stores/index.ts'
import type { NewApiKey } from '../schema.ts'
import type { ApiKeyRow } from '../table.ts'
import { type Holds, holdsIn, type Limits, placesOf } from './rights.ts'

/** What a key is asked to be. */
export type Wish = Pick<ApiKeyRow, 'scopes' | 'store_ids' | 'allowed_cidrs' | 'expires_at'>

export interface WishOptions {
  /** Where it stands in the body, such as `keys/0/`. */
  path?: string
  /** The key as it is: what is not given stays so. */
  before?: ApiKeyRow
}

/** A wish in its canonical form, with all that is wrong with what is given. */
export async function readWish(
  ctx: Ctx,
  given: Partial<NewApiKey>,
  { path = '', before }: WishOptions = {},
): Promise<[Wish, FieldProblem[]]> {
  const networks = given.allowed_cidrs?.map((text) => canonicalNetwork(text))
  const wish: Wish = {
    scopes: given.scopes ? distinct(given.scopes) : (before?.scopes ?? []),
    store_ids: kept(given.store_ids && distinct(given.store_ids.map((id) => id.toLowerCase())), before?.store_ids),
    allowed_cidrs: kept(
      given.allowed_cidrs && distinct((networks ?? []).filter((text) => text !== undefined)),
      before?.allowed_cidrs,
    ),
    expires_at: kept(given.expires_at, before?.expires_at),
  }
  const problems = [
    ...problemsOfScopes(ctx, given, wish),
    ...(await problemsOfStores(ctx, given)),
    ...(networks ?? []).flatMap((text, index) =>
      text === undefined ? [at(`allowed_cidrs/${index}`, 'must be a network such as 192.0.2.0/24')] : [],
    ),
    ...(given.expires_at && given.expires_at <= ctx.clock.now() ? [at('expires_at', 'must be in the future')] : []),
  ]
  return [wish, problems.map(({ pointer, detail }) => ({ pointer: pointer.replace('#/', `#/${path}`), detail }))]
}

const distinct = (texts: readonly string[]) => [...new Set(texts)].sort()
/** What is absent stays as it is; null clears. */
const kept = <T>(given: T | null | undefined, before: T | null | undefined): T | null =>
  given === undefined ? (before ?? null) : given

/** The same; throws 400 with all that is wrong. */
export async function requireWish(ctx: Ctx, given: Partial<NewApiKey>, options: WishOptions = {}): Promise<Wish> {
  const [wish, problems] = await readWish(ctx, given, options)
  refuse(problems)
  return wish
}

export function refuse(problems: readonly FieldProblem[]): void {
  if (problems.length > 0) throw invalidRequest({ errors: [...problems] })
}

function problemsOfScopes(ctx: Ctx, given: Partial<NewApiKey>, { scopes, store_ids }: Wish): FieldProblem[] {
  const { permissions, routes } = ctx.registry
  const isForTenant = (code: string) => permissions.get(code)?.scope !== 'store'
  if (!given.scopes)
    return given.store_ids && scopes.some(isForTenant)
      ? [at('store_ids', `cannot be given: ${scopes.find(isForTenant)} is held for the whole tenant`)]
      : []
  return given.scopes.flatMap((code, index) => {
    const wrong = (detail: string) => [at(`scopes/${index}`, detail)]
    if (!permissions.has(code)) return wrong('is not a permission: GET /permissions lists them')
    if (isForPeople(code, routes)) return wrong('is for people: no key can use it')
    return store_ids && isForTenant(code) ? wrong('is held for the whole tenant: leave store_ids out') : []
  })
}

/** The permissions that a key can have. */
export const scopesForKeys = ({ registry }: Declared): string[] =>
  [...registry.permissions.keys()].filter((code) => !isForPeople(code, registry.routes))

/**
 * Whether all that a permission opens is for people alone. Such a scope is refused rather than kept unused: were one of
 * these routes opened to keys one day, an old key would hold more than anybody has seen.
 */
function isForPeople(code: string, routes: readonly RegisteredRoute[]): boolean {
  const opened = routes.filter(
    ({ access }) => typeof access === 'object' && 'permission' in access && access.permission === code,
  )
  return opened.length > 0 && opened.every(({ callers }) => callers === 'people')
}

async function problemsOfStores(ctx: Ctx, { store_ids }: Partial<NewApiKey>): Promise<FieldProblem[]> {
  if (!store_ids) return []
  const found = await findStores(ctx.tx, ctx.tenantId, store_ids)
  const known = new Set(found.map(({ id }) => id))
  return store_ids.flatMap((id, index) =>
    known.has(id.toLowerCase()) ? [] : [at(`store_ids/${index}`, 'is no store of this tenant')],
  )
}

/**
 * What the person who makes or widens a key may do now. Their membership is locked until the transaction ends, so that
 * nobody leaves, or loses a role, and a key with their rights behind. Throws 403 for whoever has left.
 */
export async function lockMaker(ctx: Ctx, permission: string): Promise<Holds> {
  const member = await lockMember(ctx.tx, ctx.tenantId, ctx.userId)
  if (member?.status !== 'active') throw permissionDenied({ members: { permission } })
  const now = holdsIn(await onBehalfOf(ctx, ctx.userId))
  // The credential may be limited, too.
  return (code, storeId) => ctx.can(code, storeId) && now(code, storeId)
}

/** Throws 403 naming what is wanted in some place and not held there; `held`: what the key may do already. */
export function requireHeld(holds: Holds, wanted: Limits, held: Limits | null = null, path = ''): void {
  const isNew = (code: string, place: string | null) => !held?.scopes.includes(code) || !isWithin(held, place)
  const missing = wanted.scopes.filter((code) =>
    placesOf(wanted).some((place) => isNew(code, place) && !holds(code, place)),
  )
  if (missing[0] === undefined) return
  throw permissionDenied({
    detail: `You do not hold ${missing.join(', ')} yourself, where the key would`,
    members: { permission: missing[0] },
    errors: missing.map((code) => at(`${path}scopes`, `contains ${code}, which you do not hold there`)),
  })
}

/** Whether a place is one of the key's. */
export const isWithin = ({ store_ids }: Pick<Limits, 'store_ids'>, place: string | null): boolean =>
  store_ids === null || (place !== null && store_ids.includes(place))

/** Whether a change lets a key be used from more networks, or for longer. */
export function isLoosened(before: ApiKeyRow, after: Wish): boolean {
  const isOpened =
    before.allowed_cidrs !== null &&
    (after.allowed_cidrs === null || !after.allowed_cidrs.every(isCoveredBy(before.allowed_cidrs)))
  const isLengthened = before.expires_at !== null && (after.expires_at === null || after.expires_at > before.expires_at)
  return isOpened || isLengthened
}

/** Whether a network lies in one of those; in several together does not count. */
const isCoveredBy = (wide: readonly string[]) => (network: string) =>
  wide.some((each) => bitsOf(each) <= bitsOf(network) && createNetworks([each])(network.slice(0, network.indexOf('/'))))

const bitsOf = (network: string) => Number(network.slice(network.indexOf('/') + 1))
