import { isDeepStrictEqual } from 'node:util'
import {
  at,
  type Ctx,
  checkOutboundUrl,
  conflict,
  type FieldProblem,
  invalidRequest,
  NO_FAILURES,
  NO_LEASE,
  type PageOf,
  page,
  requireOwnHand,
  stamp,
} from '#kernel'
import { findStores } from '../stores/index.ts'
import { pauseOfRate } from './deliveries/pace.ts'
import { sendWaiting } from './deliveries/resend.ts'
import { webhookCreated, webhookDeleted, webhookUpdated } from './events.ts'
import {
  NO_HEADERS,
  openHeaders,
  problemOfAll,
  problemsOfHeaders,
  problemsOfHidden,
  sealHeaders,
  withHeaders,
} from './headers.ts'
import { problemsOfPatterns } from './patterns.ts'
import { labelOf, presentWebhook, recordWebhook } from './present.ts'
import {
  countWebhooks,
  deleteWebhook,
  getWebhook,
  insertWebhook,
  listWebhooks,
  lockWebhook,
  updateWebhook,
} from './queries.ts'
import { API_VERSIONS, type NewWebhook, type Webhook, type WebhookPatch, type WebhookWithSecret } from './schema.ts'
import { shownSecret, webhookSecrets } from './secrets.ts'
import { switched } from './switching.ts'
import type { WebhookRow } from './table.ts'

/** The tenant's webhooks, newest first. */
export async function pageWebhooks(ctx: Ctx): Promise<PageOf<Webhook>> {
  const { data, next_cursor } = await page(ctx, listWebhooks(ctx.tx, ctx.tenantId, {}))
  return { data: data.map(presentWebhook), next_cursor }
}

/** Throws 404. */
export const readWebhook = async (ctx: Ctx, id: string): Promise<Webhook> =>
  presentWebhook(await getWebhook(ctx.tx, ctx.tenantId, id))

/** More would make every change in the tenant write as many deliveries, whatever its plan allows. */
const MOST = 100

/** Adds a webhook. Throws 400 for a URL, event, store or header that cannot be, 409 for the hundred-and-first. */
export async function addWebhook(ctx: Ctx, input: NewWebhook): Promise<WebhookWithSecret> {
  const wish = await requireWish(ctx, input)
  const fresh = stamp(ctx)
  const made = webhookSecrets.create(ctx, fresh.id, input.signature ?? 'v1')
  const { is_active = true, headers = {} } = input
  const hidden = problemsOfHidden(headers)
  if (hidden.length > 0) throw invalidRequest({ errors: hidden })
  const row = await insertWebhook(ctx.tx, {
    ...fresh,
    ...NO_FAILURES,
    ...NO_LEASE,
    ...made.columns,
    ...sealHeaders(ctx, fresh.id, headers),
    url: input.url,
    description: input.description ?? null,
    events: wish.events ?? [],
    store_ids: wish.store_ids ?? null,
    api_version: input.api_version ?? API_VERSIONS[API_VERSIONS.length - 1]!, // there is one
    signature: input.signature ?? 'v1',
    max_per_second: input.max_per_second ?? null,
    is_active,
    disabled_reason: null,
    off_since: is_active ? null : fresh.created_at,
    missed_since: null,
    missed_until: null,
    trial_at: null,
    told_at: null,
  })
  if ((await countWebhooks(ctx.tx, ctx.tenantId)) > MOST)
    throw conflict({ detail: `A tenant has ${MOST} webhooks at most` })
  await ctx.emit(webhookCreated, { after: recordWebhook(row), label: labelOf(row) })
  return { ...presentWebhook(row), ...shownSecret(made) }
}

/**
 * Changes a webhook; absent fields stay, null clears, headers are changed one by one. With a new URL, or switched on again, it
 * gets at once what waits, its schedule from the start. Throws 404, 400 as `addWebhook`, 403 for a new URL by somebody who acts
 * as somebody else.
 */
export async function changeWebhook(ctx: Ctx, id: string, patch: WebhookPatch): Promise<Webhook> {
  const before = await lockWebhook(ctx.tx, ctx.tenantId, id)
  const { headers, is_active, ...plain } = patch
  const wish = await requireWish(ctx, patch, before.store_ids ?? [])
  const isMoved = plain.url !== undefined && plain.url !== before.url
  // Or whoever acts as somebody else would hear of the tenant long after they are gone.
  if (isMoved) requireOwnHand(ctx)
  const after: WebhookRow = {
    ...before,
    ...plain,
    ...wish,
    // What the one server was told is not for another.
    ...(isElsewhere(before.url, plain.url) && NO_HEADERS),
    ...(headers !== undefined &&
      changedHeaders(ctx, isElsewhere(before.url, plain.url) ? { ...before, ...NO_HEADERS } : before, headers)),
    ...(isMoved && { ...NO_FAILURES, next_attempt_at: pauseOfRate(before, ctx.clock), told_at: null }),
    ...switched(ctx, before, is_active),
  }
  if (isDeepStrictEqual(before, after)) return presentWebhook(before)
  const { tenant_id: _tenant, id: _id, created_at: _created, locked_by: _by, locked_until: _until, ...change } = after
  const row = await updateWebhook(ctx.tx, before, { ...change, updated_at: ctx.clock.now() })
  await ctx.emit(webhookUpdated, { before: recordWebhook(before), after: recordWebhook(row), label: labelOf(row) })
  if (row.is_active && (isMoved || !before.is_active)) await sendWaiting(ctx, id)
  return presentWebhook(row)
}

const isElsewhere = (before: string, after: string | undefined) =>
  after !== undefined && new URL(after).origin !== new URL(before).origin

/** Removes a webhook; a message under way may still arrive. Throws 404. */
export async function removeWebhook(ctx: Ctx, id: string): Promise<undefined> {
  const row = await deleteWebhook(ctx.tx, ctx.tenantId, id)
  await ctx.emit(webhookDeleted, { before: recordWebhook(row), label: labelOf(row) })
}

type Wish = Partial<Pick<WebhookRow, 'events' | 'store_ids'>>

/** What is asked for in its canonical form. Throws 400 with all that is wrong. */
async function requireWish(
  ctx: Ctx,
  given: Partial<NewWebhook> | WebhookPatch,
  knownStores: readonly string[] = [],
): Promise<Wish> {
  if (given.url !== undefined) checkOutboundUrl(given.url, ctx.config)
  const problems = [...checkWebhook(given, ctx), ...(await problemsOfStores(ctx, given.store_ids, knownStores))]
  if (problems.length > 0) throw invalidRequest({ errors: problems })
  return {
    ...(given.events && { events: [...new Set(given.events)] }),
    ...(given.store_ids !== undefined && {
      store_ids: given.store_ids && [...new Set(given.store_ids.map((id) => id.toLowerCase()))],
    }),
  }
}

/** Problems with events and headers, for routes too. */
export function checkWebhook(
  given: { events?: unknown; headers?: unknown },
  ctx: Pick<Ctx, 'registry'>,
): FieldProblem[] {
  return [...problemsOfPatterns(given, ctx), ...problemsOfHeaders(given)]
}

/** One that it had already may be gone by now. */
async function problemsOfStores(
  ctx: Ctx,
  storeIds: readonly string[] | null | undefined,
  before: readonly string[],
): Promise<FieldProblem[]> {
  if (!storeIds) return []
  const known = new Set([...before, ...(await findStores(ctx.tx, ctx.tenantId, storeIds)).map(({ id }) => id)])
  return storeIds.flatMap((id, index) =>
    known.has(id.toLowerCase()) ? [] : [at(`store_ids/${index}`, 'is no store of the tenant')],
  )
}

/** Headers that cannot be read any more can be replaced as a whole: by those of the change alone. */
function changedHeaders(ctx: Ctx, before: WebhookRow, change: Readonly<Record<string, string | null>> | null) {
  if (change === null) return NO_HEADERS
  const opened = openHeaders(ctx, before)
  const headers = withHeaders(opened ?? {}, change)
  const problem = problemOfAll(headers)
  const problems = problem ? [at('headers', problem)] : problemsOfHidden(headers)
  if (problems.length > 0) throw invalidRequest({ errors: problems })
  return isDeepStrictEqual(headers, opened) ? {} : sealHeaders(ctx, before.id, headers)
}
