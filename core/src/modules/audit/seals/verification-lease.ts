import { type Ctx, fromNow, MINUTES, newId, rateLimited, SECONDS } from '#kernel'
import type { VerifiedAudit } from '../schema.ts'
import type { Period } from './sealed-range.ts'
import { findVerdict, insertVerification, updateVerification } from './verification-queries.ts'
import { type Verdict, verifyRecords } from './verify.ts'

/** A result answers further requests for the same period for this long. */
const KEPT_MS = 5 * MINUTES
/** A running check renews its lease; one that died blocks others for this long. */
const LEASE_MS = 60 * SECONDS
const RETRY_SECONDS = 5

/** A running check: its steps, and how to stop it. */
export interface Verifying {
  steps: AsyncGenerator<void, VerifiedAudit>
  stop(): void
}

/**
 * Starts a check of the tenant's records, or returns a recent result. Throws 429 `rate_limited` while another check
 * runs in any process, and 400 for an invalid time.
 */
export async function beginVerifying(ctx: Ctx, period: Period): Promise<Verifying> {
  const steps = await verifyRecords(ctx, period)
  const begun = { at: ctx.clock.now(), token: newId() }
  const kept = await ctx.transaction(async (ctx) => {
    const kept = await findKept(ctx, period)
    if (kept) return kept
    const lease = {
      locked_by: begun.token,
      now: begun.at,
      locked_until: fromNow(ctx.clock, LEASE_MS),
      furthest: fromNow(ctx.clock, 2 * LEASE_MS),
    }
    if (await insertVerification(ctx.tx, ctx.tenantId, lease)) return null
    throw rateLimited({
      detail: 'The audit log is being checked; ask again for what is found',
      headers: { 'retry-after': String(RETRY_SECONDS) },
    })
  })
  return kept ? { steps: answering(kept), stop: () => undefined } : checking(ctx, period, { ...begun, steps })
}

interface Begun {
  at: string
  token: string
  steps: AsyncGenerator<void, Verdict>
}

function checking(ctx: Ctx, period: Period, { at, token, steps }: Begun): Verifying {
  let isHeld = true
  const change = (values: Parameters<typeof updateVerification>[3]) =>
    ctx.transaction(({ tx, tenantId }) => updateVerification(tx, tenantId, token, values))
  async function* run(): AsyncGenerator<void, VerifiedAudit> {
    let renewAt = ctx.clock.ms() + LEASE_MS / 3
    for (;;) {
      const step = await steps.next()
      if (step.done) {
        const answer = { ...step.value, verified_at: at }
        await change({ locked_by: null, locked_until: null, verdict: sealVerdict(ctx, period, answer), updated_at: at })
        isHeld = false
        return answer
      }
      if (ctx.clock.ms() >= renewAt) {
        await change({ locked_until: fromNow(ctx.clock, LEASE_MS) })
        renewAt = ctx.clock.ms() + LEASE_MS / 3
      }
      yield
    }
  }
  const stop = () => {
    if (isHeld)
      change({ locked_by: null, locked_until: null }).catch((error: unknown) =>
        ctx.log.warn({ err: error }, 'a check of the audit log was broken off; its lease stays until it ends'),
      )
  }
  return { steps: run(), stop }
}

// biome-ignore lint/correctness/useYield: a check without a step
async function* answering(kept: VerifiedAudit): AsyncGenerator<void, VerifiedAudit> {
  return kept
}

interface Kept {
  of: [string | null, string | null]
  answer: VerifiedAudit
}

const periodOf = ({ from, to }: Period): Kept['of'] => [from ?? null, to ?? null]
const sealContext = ({ tenantId }: Ctx) => `audit_verification:${tenantId}`

function sealVerdict(ctx: Ctx, period: Period, answer: VerifiedAudit): string {
  const kept: Kept = { of: periodOf(period), answer }
  return ctx.secrets.seal(JSON.stringify(kept), sealContext(ctx))
}

/** The recent result for the same period. A result that cannot be decrypted or is in the future is ignored. */
async function findKept(ctx: Ctx, period: Period): Promise<VerifiedAudit | null> {
  const sealed = await findVerdict(ctx.tx, ctx.tenantId)
  const kept = sealed === null ? null : openVerdict(ctx, sealed)
  if (!kept || JSON.stringify(kept.of) !== JSON.stringify(periodOf(period))) return null
  const age = ctx.clock.ms() - Date.parse(kept.answer.verified_at)
  return age >= 0 && age < KEPT_MS ? kept.answer : null
}

function openVerdict(ctx: Ctx, sealed: string): Kept | null {
  try {
    return JSON.parse(ctx.secrets.openText(sealed, sealContext(ctx))) as Kept // as sealVerdict wrote it
  } catch {
    return null
  }
}
