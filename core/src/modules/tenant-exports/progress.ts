import { type Ctx, SECONDS } from '#kernel'
import { updateProgress } from './queries.ts'
import type { ExportRow, Progress } from './table.ts'

const EVERY_MS = 2 * SECONDS

export const noProgress = (): Progress => ({
  tables_done: 0,
  tables_total: null,
  rows_done: 0,
  files_done: 0,
  files_total: null,
})

/** Stores how far an attempt has come every two seconds, until what it gives is called. No transaction may be open. */
export function keepProgress(ctx: Ctx, row: ExportRow, progress: Progress): () => void {
  let stored = JSON.stringify(progress)
  const timer = setInterval(() => {
    const now = JSON.stringify(progress)
    if (now === stored) return
    stored = now
    ctx
      .transaction(({ tx, clock }) => updateProgress(tx, row, { ...progress, updated_at: clock.now() }))
      // The next one says more.
      .catch((err) => ctx.log.warn({ err, export: row.id }, 'how far an export has come could not be stored'))
  }, EVERY_MS)
  return () => clearInterval(timer)
}
