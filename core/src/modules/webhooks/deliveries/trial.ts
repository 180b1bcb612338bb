import { type Ctx, defineJob, deliver, every, everyTenant, fromNow, newId, systemActor, Type } from '#kernel'
import { webhookEnabled } from '../events.ts'
import { openHeaders } from '../headers.ts'
import { labelOf, recordWebhook } from '../present.ts'
import { lockWebhookIfThere, updateWebhook } from '../queries.ts'
import { webhookSecrets } from '../secrets.ts'
import { switched } from '../switching.ts'
import type { WebhookRow } from '../table.ts'
import { enqueueSending } from './send.ts'
import { TRIAL_EVERY_MS } from './standing.ts'
import { sampleBody, TEST_EVENT } from './test-message.ts'
import { listTenantsToTry, listToTry } from './upkeep-queries.ts'

/** Tries the receiver of a webhook that switched itself off, and switches it on again once that takes something. */
export const tryAgain = defineJob('webhooks.try_again', {
  payload: Type.Object({ webhook_id: Type.String() }),
  transaction: 'manual',
  outbound: true,
  handler: async (job, { webhook_id }) => {
    const ctx = job.as(systemActor)
    const webhook = await ctx.transaction((inner) => takeTrial(inner, webhook_id))
    if (!webhook) return
    const body = JSON.stringify({
      ...sampleBody(ctx, { name: TEST_EVENT, schema: {} }),
      data: { message: 'Are you there?' },
    })
    const headers = openHeaders(ctx, webhook)
    if (headers === null) return
    const message = { id: newId(), body, contentType: 'application/json', headers }
    const { error } = await deliver(ctx, webhookSecrets, webhook, message)
    if (error === null) await ctx.transaction((inner) => switchOn(inner, webhook))
  },
})

/** The webhook, whose next trial is an hour away now; null: somebody was faster, or it is on. */
async function takeTrial(ctx: Ctx, id: string): Promise<WebhookRow | null> {
  const webhook = await lockWebhookIfThere(ctx.tx, ctx.tenantId, id)
  if (!webhook?.trial_at || webhook.trial_at > ctx.clock.now()) return null
  return updateWebhook(ctx.tx, webhook, { trial_at: fromNow(ctx.clock, TRIAL_EVERY_MS) })
}

async function switchOn(ctx: Ctx, tried: WebhookRow): Promise<void> {
  const before = await lockWebhookIfThere(ctx.tx, ctx.tenantId, tried.id)
  // It leads elsewhere by now, or a person was faster.
  if (before?.disabled_reason !== 'failing' || before.url !== tried.url) return
  const after = await updateWebhook(ctx.tx, before, { ...switched(ctx, before, true), updated_at: ctx.clock.now() })
  await ctx.emit(webhookEnabled, {
    before: recordWebhook(before),
    after: recordWebhook(after),
    label: labelOf(after),
    storeId: null,
  })
  await enqueueSending(ctx, after.id)
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
