import type { Compared } from './compare.ts'

/** What a sweep found of one tenant, in numbers. */
export interface SweepReport extends Compared {
  /** Objects that no file and no upload has, and pieces of uploads; their bytes, with those that are held. */
  orphans: number
  pieces: number
  orphanBytes: number
  /** Objects without a file that a worker leaves until they are a week old: the database may be from a backup. */
  held: number
  /** Second copies of files, left behind by a move. */
  copies: number
  /** Files whose storage is without them, or has something of another size. */
  missing: number
  /** The ids of the first of them that are nowhere. */
  lost: string[]
  /** Of these the ones that another storage has. */
  elsewhere: number
  /** Files that were missing and are there again. */
  found: number
  /** Objects under names that nothing here makes: nobody touches them. */
  unknown: number
  /** Files in storages that the settings do not describe: nobody can look at them. */
  unreachable: number
  /** By how many bytes the quota was counted wrong; negative: too few. */
  drift: number
  /** What could not be mended, because its storage refused. The log says why. */
  failed: number
  /** What was found of so much that it looks as if the storage, or the database, is not the right one. Not touched. */
  doubtful: Doubt[]
}

export const ABSENT = 'missing files'
export const ORPHANS = 'objects without a file'
export type Doubt = typeof ABSENT | typeof ORPHANS

export const nothing = (): SweepReport => ({
  ...{ objects: 0, files: 0, orphans: 0, pieces: 0, orphanBytes: 0, held: 0, copies: 0, missing: 0, elsewhere: 0 },
  ...{ found: 0, unknown: 0, unreachable: 0, drift: 0, failed: 0, doubtful: [], lost: [] },
})

/** Whether there is anything to be said about a tenant. */
export function hasFound({ objects: _objects, files: _files, ...found }: SweepReport): boolean {
  return Object.values(found).some((value) => (Array.isArray(value) ? value.length > 0 : value !== 0))
}

/** Of all storages together. */
export function sum(reports: readonly SweepReport[]): SweepReport {
  const total = nothing()
  for (const { doubtful, lost, ...numbers } of reports) {
    total.doubtful.push(...doubtful)
    total.lost.push(...lost)
    for (const [name, value] of Object.entries(numbers)) total[name as keyof typeof numbers] += value // its own names
  }
  return total
}

/** From here on it may be a whole storage that is not there, and nobody asks it for each file. */
export const MANY = 20

/** A disk that is not mounted has no file, and a database from a backup knows nothing of the last day. */
export function doubtsOf({
  missing,
  files,
  orphans,
  held,
  objects,
}: Pick<SweepReport, 'missing' | 'files' | 'orphans' | 'held' | 'objects'>): Doubt[] {
  const doubts: Doubt[] = []
  if (missing > MANY && missing > files / 2) doubts.push(ABSENT)
  if (orphans + held > MANY && orphans + held > objects / 2) doubts.push(ORPHANS)
  return doubts
}
