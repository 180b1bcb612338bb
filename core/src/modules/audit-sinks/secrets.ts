import { type Ctx, defineSigningSecrets, notFound } from '#kernel'
import { auditSinkSecretRotated } from './events.ts'
import { labelOf, recordSink } from './present.ts'
import { lockSink, updateSink } from './queries.ts'
import type { RotatedSecret } from './schema.ts'

/** The signing secrets of sinks. */
export const sinkSecrets = defineSigningSecrets('audit_sinks', 'audit_sink', 'secrets of audit sinks')

/** Replaces the secret; the previous one also signs for 24 hours. Throws 404. */
export async function rotateSecret(ctx: Ctx, id: string): Promise<RotatedSecret> {
  const before = await lockSink(ctx.tx, ctx.tenantId, id)
  if (!before) throw notFound()
  const { secret, columns, previousUntil } = sinkSecrets.rotate(ctx, before)
  const after = await updateSink(ctx.tx, before, { ...columns, updated_at: ctx.clock.now() })
  await ctx.emit(auditSinkSecretRotated, {
    before: recordSink(before),
    after: recordSink(after),
    label: labelOf(after),
  })
  return { secret, previous_expires_at: previousUntil }
}
