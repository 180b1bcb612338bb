import { type Ctx, defineJob, deliver, every, everyTenant, fromNow, newId, systemActor, Type } from '#kernel'
import { webhookEnabled } from '../events.ts'
import { openHeaders } from '../headers.ts'
import { labelOf, recordWebhook } from '../present.ts'
import { lockWebhookIfThere, updateWebhook } from '../queries.ts'
import { webhookSecrets } from '../secrets.ts'
import { switched } from '../switching.ts'
import type { WebhookRow } from '../table.ts'
import { sendWaiting } from './resend.ts'
import { TRIAL_EVERY_MS, TRIED_FOR_MS } from './standing.ts'
import { sampleBody, TEST_EVENT } from './test-message.ts'
import { HEADERS_LOST } from './try-all.ts'
import { listTenantsToTry, listToTry } from './upkeep-queries.ts'

/** Tries the receiver of a webhook that switched itself off, and switches it on again once that takes something. */
export const tryAgain = defineJob('webhooks.try_again', {
  payload: Type.Object({ webhook_id: Type.String() }),
  transaction: 'manual',
  outbound: 'receiver',
  handler: async (job, { webhook_id }) => {
    const ctx = job.as(systemActor)
    const webhook = await ctx.transaction((inner) => takeTrial(inner, webhook_id))
    if (!webhook) return
    const error = await tryReceiver(ctx, webhook)
    await ctx.transaction((inner) => (error === null ? switchOn(inner, webhook) : noteTrial(inner, webhook, error)))
  },
})

/** Why the receiver does not take a test; null: it does. */
async function tryReceiver(ctx: Ctx, webhook: WebhookRow): Promise<string | null> {
  const headers = openHeaders(ctx, webhook)
  if (headers === null) return HEADERS_LOST
  const body = { ...sampleBody(ctx, { name: TEST_EVENT, schema: {} }), data: { message: 'Are you there?' } }
  const message = { id: newId(), body: JSON.stringify(body), contentType: 'application/json', headers }
  return (await deliver(ctx, webhookSecrets, webhook, message)).error
}

/** The webhook, whose next trial is an hour away now; null: somebody was faster, or it is on. */
async function takeTrial(ctx: Ctx, id: string): Promise<WebhookRow | null> {
  const webhook = await lockWebhookIfThere(ctx.tx, ctx.tenantId, id)
  if (!webhook?.trial_at || webhook.trial_at > ctx.clock.now()) return null
  // Whoever owns the name by then may be somebody else, and nothing is left to replay.
  const isLast = ctx.clock.ms() - Date.parse(webhook.off_since ?? '') > TRIED_FOR_MS
  return updateWebhook(ctx.tx, webhook, { trial_at: isLast ? null : fromNow(ctx.clock, TRIAL_EVERY_MS) })
}

async function noteTrial(ctx: Ctx, tried: WebhookRow, last_error: string): Promise<void> {
  const webhook = await lockWebhookIfThere(ctx.tx, ctx.tenantId, tried.id)
  if (webhook?.disabled_reason === 'failing' && webhook.url === tried.url)
    await updateWebhook(ctx.tx, webhook, { last_error })
}

async function switchOn(ctx: Ctx, tried: WebhookRow): Promise<void> {
  const before = await lockWebhookIfThere(ctx.tx, ctx.tenantId, tried.id)
  // It leads elsewhere by now, or a person was faster.
  if (before?.disabled_reason !== 'failing' || before.url !== tried.url) return
  const change = switched(ctx, before, true)
  const after = await updateWebhook(ctx.tx, before, { ...change, updated_at: ctx.clock.now() })
  await ctx.emit(webhookEnabled, {
    before: recordWebhook(before),
    after: recordWebhook(after),
    label: labelOf(after),
    storeId: null,
  })
  await sendWaiting(ctx, after.id)
}

/** Enqueues the trials that are due. */
export const findTrials = every('* * * * *', 'webhooks.find_trials', (ctx) =>
  everyTenant(ctx, {
    name: 'webhooks.find_trials',
    list: (tx, page) => listTenantsToTry(tx, { ...page, now: ctx.clock.now() }),
    work: async (inner, { tenant_id }) => {
      for (const { id } of await listToTry(inner.tx, tenant_id, inner.clock.now()))
        await inner.enqueue(tryAgain, { webhook_id: id }, { dedupeKey: `${tryAgain.name}:${id}` })
    },
  }),
)
