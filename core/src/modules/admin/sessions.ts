import type { Ctx } from '#kernel'
import { endSessions } from '../auth/index.ts'
import { getUser } from '../users/index.ts'
import { sessionsRevoked } from './events.ts'

/** Ends every session of a person, from the next request on in every process. Called as the system role. Throws 404. */
export async function revokeSessions(ctx: Ctx, userId: string): Promise<void> {
  const { id, name } = await getUser(ctx.tx, userId)
  await endSessions(ctx, id)
  await ctx.emit(sessionsRevoked, { after: { id, name }, storeId: null })
}
