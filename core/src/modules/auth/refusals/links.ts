import { AppError, type Ctx, hashToken } from '#kernel'
import { tokenExpired } from '../../members/index.ts'
import { findUserToken } from '../queries.ts'
import { attemptOn } from '../sign-in/lockout.ts'
import type { TokenPurpose } from '../table.ts'
import { noteAside } from './refusals.ts'

/** Does what a link of a mail asks for, and notes for its account when the link was too late, or used before. */
export async function notingLink<T>(
  ctx: Ctx,
  { purpose, token }: { purpose: TokenPurpose; token: string },
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof AppError && error.status === 400) await noteLink(ctx, purpose, token, error)
    throw error
  }
}

async function noteLink(ctx: Ctx, purpose: TokenPurpose, token: string, error: AppError): Promise<void> {
  const hash = hashToken(token)
  const row = await ctx.transaction(({ tx }) => findUserToken(tx, purpose, hash), { tenantId: null, readOnly: true })
  if (!row) return
  const isLate = error.kind === tokenExpired
  if (isLate || row.used_at !== null)
    await noteAside(ctx, attemptOn(ctx, row.email), isLate ? 'link_expired' : 'link_used')
}
