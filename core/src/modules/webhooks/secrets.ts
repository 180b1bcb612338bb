import { type Ctx, defineSigningSecrets, HOURS } from '#kernel'
import { webhookSecretRotated } from './events.ts'
import { labelOf, recordWebhook } from './present.ts'
import { lockWebhook, updateWebhook } from './queries.ts'
import type { RotatedSecret } from './schema.ts'

/** What messages of webhooks are signed with. */
export const webhookSecrets = defineSigningSecrets('webhooks', 'webhook', 'secrets of webhooks')

/** What is shown of a new secret: itself, or its public half, which is all that a receiver of `v1a` has. */
export const shownSecret = ({ secret, publicKey }: { secret: string; publicKey: string | null }) =>
  publicKey === null ? { secret } : { public_key: publicKey }

/** Replaces the secret; the previous one also signs for so many hours. Throws 404. */
export async function rotateSecret(ctx: Ctx, id: string, overlapHours: number): Promise<RotatedSecret> {
  const before = await lockWebhook(ctx.tx, ctx.tenantId, id)
  const kind = before.signature
  const rotated = webhookSecrets.rotate(ctx, before, { overlapMs: overlapHours * HOURS, kind })
  const after = await updateWebhook(ctx.tx, before, { ...rotated.columns, updated_at: ctx.clock.now() })
  await ctx.emit(webhookSecretRotated, {
    before: recordWebhook(before),
    after: recordWebhook(after),
    label: labelOf(after),
  })
  return { ...shownSecret(rotated), previous_expires_at: rotated.previousUntil }
}
