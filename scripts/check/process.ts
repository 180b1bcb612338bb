// Runs test files in this process, one after another, as the parent process names them. A file is a suite of its own: its
// hooks run before and after its own tests, and nothing of it is loaded before its turn.
import { resolve } from 'node:path'
import { describe } from 'node:test'
import { pathToFileURL } from 'node:url'
import { noteState } from './state.ts'

/** What the parent sends: the next file, or null when there is none left. */
export interface Order {
  file: string | null
}

const PATIENCE_MS = 20_000
let isLast = false

process.on('message', ({ file }: Order) => {
  if (file === null) return leave()
  describe(file, async () => {
    noteState()
    await import(pathToFileURL(resolve(file)).href)
  })
})
process.once('disconnect', () => {
  // The parent has been killed.
  if (!isLast) process.exit(1)
})

/** Whatever still holds the process then is named before the parent loses its patience. */
function leave(): void {
  isLast = true
  process.disconnect?.()
  setTimeout(() => {
    process.stderr.write(`Still open: ${process.getActiveResourcesInfo().join(', ')}\n`)
  }, PATIENCE_MS).unref()
}
