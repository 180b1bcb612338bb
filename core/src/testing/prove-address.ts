import type { TestCore } from './core.ts'

/** As if the person had followed the link that was mailed to them: without it they cannot have mail sent to others. */
export async function proveAddress({ core }: TestCore, userId: string): Promise<void> {
  await core.db.systemQuery('update users set email_verified_at = $1 where id = $2 and email_verified_at is null', [
    core.clock.now(),
    userId,
  ])
}
