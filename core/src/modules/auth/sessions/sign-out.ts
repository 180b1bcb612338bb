import type { Ctx } from '#kernel'
import { signedOut } from '../events.ts'
import { updateSessionRevoked, updateSessionsRevoked } from './session-queries.ts'

/**
 * Ends this session: access tokens fail at the next request, refresh tokens at once, also within their grace period.
 */
export async function signOut(ctx: Ctx): Promise<void> {
  const sessionId = ctx.principal?.sessionId
  if (!sessionId || !(await updateSessionRevoked(ctx.tx, sessionId, ctx.clock.now()))) return
  await recordEnd(ctx, { session_id: sessionId, all: false })
  await ctx.forget({ sessionId })
}

/** Ends every session of the person, this one included. */
export async function signOutEverywhere(ctx: Ctx): Promise<void> {
  await endSessions(ctx, ctx.userId)
  await recordEnd(ctx, { session_id: ctx.principal?.sessionId ?? undefined, all: true })
}

/** Ends all sessions of a person except one. Emits no event: the caller records why they end. */
export async function endSessions(ctx: Ctx, userId: string, exceptId: string | null = null): Promise<void> {
  await updateSessionsRevoked(ctx.tx, userId, ctx.clock.now(), exceptId)
  await ctx.forget({ userId })
}

async function recordEnd(ctx: Ctx, after: { session_id?: string; all: boolean }): Promise<void> {
  await ctx.emit(signedOut, { id: ctx.userId, label: ctx.actor.label, storeId: null, after })
}
