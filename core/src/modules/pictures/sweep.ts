import { type Ctx, DAYS, every, fromNow } from '#kernel'
import { listUnattached, type Unattached, updateState } from './queries.ts'
import { removePicture } from './remove.ts'

/** What takes a picture in is long done by then, and so are the attempts of the job that removes one. */
const LEFT_MS = 1 * DAYS
const BATCH = 200

/** Once a day: removes what processes that died left behind, and what the job could not remove. */
export const sweepPictures = every('17 3 * * *', 'pictures.sweep', async (ctx) => {
  const before = fromNow(ctx.clock, -LEFT_MS)
  for (let after: Unattached | null = null; ; ) {
    const page = { before, after, limit: BATCH }
    const found: Unattached[] = await ctx.transaction(({ tx }) => listUnattached(tx, page), {
      role: 'system',
      readOnly: true,
    })
    for (const { id } of found) await sweepOne(ctx, id)
    after = found.at(-1) ?? null
    if (after === null) return
  }
})

async function sweepOne(ctx: Ctx, id: string): Promise<void> {
  try {
    const now = ctx.clock.now()
    // Nobody can begin to show it from here on.
    await ctx.transaction(({ tx }) => updateState(tx, id, { from: 'pending', to: 'removed', now }))
    await removePicture(ctx, id)
  } catch (error) {
    // One whose storage does not answer keeps no other from its turn.
    ctx.log.error({ err: error, picture_id: id }, 'a picture that nobody shows could not be removed')
  }
}
