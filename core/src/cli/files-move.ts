import { addAbortSignal, Readable } from 'node:stream'
import type { Core } from '../kernel/core.ts'
import { createContext, noOrigin, systemActor } from '../kernel/create-context.ts'
import { isUuid } from '../kernel/ids.ts'
import type { Movable, Move } from '../kernel/storage/moving.ts'
import { type Backend, type FileStorage, StorageUnknown } from '../kernel/storage/storage.ts'
import { type Command, say, type Values } from './command.ts'
import { explain, UsageError } from './failures.ts'
import { counted } from './migrate.ts'
import { withCore } from './own-command.ts'
import { type Extent, type Progress, showProgress, size } from './progress.ts'

const PARALLEL = 4
const MOST_PARALLEL = 64
/** Of more failures only the number is said. */
const NAMED = 20

export const filesMove: Command = {
  summary: 'move files to another storage',
  help: (cli) => `Usage: ${cli} files move --to local|s3 [--from local|s3] [--tenant <id>] [--parallel <n>] [--dry-run]

Moves what is kept in another storage than the one named, and every row with it: files, pictures, archives of the audit log, and what
modules of the application keep. Each is read again after it was written and compared, a file with the SHA-256 of its row; one that
is not as it should be stays where it is, is named, and makes the exit code 1. Server and workers may run, and people may upload,
download and remove files meanwhile. What is uploaded goes where FILE_STORAGE_BACKEND says: change that first. The old copy of a file
or picture is removed by a worker an hour later. May be interrupted at any moment; run it again to go on. Run it where DATA_DIR is.

  --to          the storage to move to; the settings must describe it
  --from        only what is in this one
  --tenant      only what is this tenant's
  --parallel    how many at a time (default ${PARALLEL})
  --dry-run     only say how much it is`,
  options: {
    to: { type: 'string' },
    from: { type: 'string' },
    tenant: { type: 'string' },
    parallel: { type: 'string' },
    'dry-run': { type: 'boolean' },
  },
  run(values, options) {
    const wanted = readWanted(values)
    const interrupt = new AbortController()
    return withCore(options, (core) => moveAll(core, wanted, interrupt.signal), interrupt)
  },
}

interface Wanted {
  to: Backend
  from: Backend | null
  tenantId: string | null
  parallel: number
  isDry: boolean
}

function readWanted(values: Values): Wanted {
  const [to, from] = [readBackend(values.to, '--to'), readBackend(values.from, '--from')]
  if (to === null) throw new UsageError('--to is required: local or s3')
  if (to === from) throw new UsageError('--from and --to are the same storage')
  const parallel = Number(values.parallel ?? PARALLEL)
  if (!Number.isInteger(parallel) || parallel < 1 || parallel > MOST_PARALLEL)
    throw new UsageError(`--parallel takes a number from 1 to ${MOST_PARALLEL}`)
  return { to, from, tenantId: readTenant(values), parallel, isDry: values['dry-run'] === true }
}

export function readTenant({ tenant }: Values): string | null {
  if (tenant === undefined) return null
  if (!isUuid(tenant)) throw new UsageError('--tenant takes the id of a tenant')
  return tenant.toLowerCase()
}

function readBackend(value: Values[string], option: string): Backend | null {
  if (value === undefined) return null
  if (value === 'local' || value === 's3') return value
  throw new UsageError(`${option} takes local or s3`)
}

/** What is moved, with the kind that it is of. */
interface Found {
  kind: string
  thing: Movable
}

async function moveAll(core: Core, wanted: Wanted, interrupted: AbortSignal): Promise<number> {
  let progress: Progress | undefined
  const move: Move = {
    to: describedStorage(core, wanted.to),
    from: wanted.from,
    tenantId: wanted.tenantId,
    open: (backend) => watched(core.storages.of(backend), interrupted, (bytes) => progress?.passed(bytes)),
  }
  const extents = await measureAll(core, move, interrupted)
  for (const [kind, extent] of extents) say(`${kind}: ${extent.things} to move, ${size(extent.bytes)}`)
  if (interrupted.aborted) return sayInterrupted()
  if (wanted.isDry) return 0
  progress = showProgress(total([...extents.values()]))
  const { moved, failed } = await moveEach(listAll(core, move), {
    progress,
    interrupted,
    parallel: wanted.parallel,
  }).finally(progress.end)
  say(`Moved ${counted(moved.things, 'object')}, ${size(moved.bytes)}.`)
  if (failed > 0)
    say(
      `${failed} could not be moved and ${failed === 1 ? 'is' : 'are'} where ${failed === 1 ? 'it was' : 'they were'}.`,
    )
  if (interrupted.aborted) return sayInterrupted()
  return failed > 0 ? 1 : 0
}

function sayInterrupted(): number {
  say('Interrupted. Nothing is lost: run it again to go on.')
  return 1
}

function describedStorage({ storages }: Core, backend: Backend): FileStorage {
  try {
    return storages.of(backend)
  } catch (error) {
    if (!(error instanceof StorageUnknown)) throw error
    throw new UsageError(`--to ${backend}: the settings do not describe that storage (S3_BUCKET and the like)`)
  }
}

async function* listAll(core: Core, move: Move): AsyncGenerator<Found> {
  const ctx = createContext(core, { tenant: null, storeId: null, actor: systemActor, origin: noOrigin })
  for (const { stored } of core.registry.modules)
    for (const kind of stored) for await (const thing of kind.list(ctx, move)) yield { kind: kind.name, thing }
}

async function measureAll(core: Core, move: Move, interrupted: AbortSignal): Promise<Map<string, Extent>> {
  const kinds = core.registry.modules.flatMap(({ stored }) => stored)
  const extents = new Map<string, Extent>(kinds.map(({ name }) => [name, { things: 0, bytes: 0 }]))
  for await (const { kind, thing } of listAll(core, move)) {
    const extent = extents.get(kind)
    if (interrupted.aborted) break
    if (!extent) continue
    extent.things++
    extent.bytes += thing.bytes
  }
  return extents
}

function total(extents: readonly Extent[]): Extent {
  const sum = (name: keyof Extent) => extents.reduce((all, extent) => all + extent[name], 0)
  return { things: sum('things'), bytes: sum('bytes') }
}

interface Moving {
  progress: Progress
  interrupted: AbortSignal
  parallel: number
}

/** Several take turns at one list, so that no more of it is in memory than they work on. */
async function moveEach(list: AsyncGenerator<Found>, { progress, interrupted, parallel }: Moving) {
  const moved: Extent = { things: 0, bytes: 0 }
  let failed = 0
  const one = async ({ kind, thing }: Found) => {
    try {
      if (!(await thing.move())) return
      moved.things++
      moved.bytes += thing.bytes
    } catch (error) {
      if (interrupted.aborted) return
      failed++
      if (failed <= NAMED) progress.note(`Not moved: ${thing.key} (${kind}): ${explain(error)}`)
      if (failed === NAMED + 1) progress.note('More could not be moved; they are only counted.')
    } finally {
      progress.settled(thing.bytes)
    }
  }
  const worker = async () => {
    for (;;) {
      if (interrupted.aborted) return
      const next = await list.next()
      if (next.done) return
      await one(next.value)
    }
  }
  // Nobody goes on behind a list that has failed: what the others work on needs the core.
  const ends = await Promise.allSettled(Array.from({ length: parallel }, worker))
  for (const end of ends) if (end.status === 'rejected') throw end.reason
  return { moved, failed }
}

/** The same storage; what is read from it is counted, and ends with the command: what was half-written elsewhere is taken back. */
function watched(storage: FileStorage, interrupted: AbortSignal, passed: (bytes: number) => void): FileStorage {
  return {
    ...storage,
    read(key, range) {
      const content = Readable.from(counting(storage.read(key, range), passed), { objectMode: false })
      return addAbortSignal(interrupted, content)
    },
  }
}

async function* counting(content: AsyncIterable<Buffer>, passed: (bytes: number) => void): AsyncGenerator<Buffer> {
  for await (const piece of content) {
    passed(piece.length)
    yield piece
  }
}
