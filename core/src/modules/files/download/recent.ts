import { defineResource, HOURS } from '#kernel'

/** For how long the parts that somebody fetches of a file count as one download. */
const ONE_DOWNLOAD_MS = 1 * HOURS
const MOST_REMEMBERED = 10_000

/** Who has begun to download what lately, as far as this process knows: of a player that asks for a hundred parts one is recorded. */
export interface RecentDownloads {
  /** Whether a part belongs to no download that was recorded lately; then it begins one. */
  begins(who: string, fileId: string, nowMs: number): boolean
}

export const recentDownloads = defineResource<RecentDownloads>({ name: 'files.recent_downloads', create: createRecent })

export function createRecent(): RecentDownloads {
  const begun = new Map<string, number>()
  return {
    begins(who, fileId, nowMs) {
      const key = `${who} ${fileId}`
      const last = begun.get(key)
      if (last !== undefined && nowMs - last < ONE_DOWNLOAD_MS && nowMs >= last) return false
      begun.delete(key)
      begun.set(key, nowMs)
      // The oldest goes: at worst a download is recorded twice.
      const [oldest] = begun.keys()
      if (begun.size > MOST_REMEMBERED && oldest !== undefined) begun.delete(oldest)
      return true
    },
  }
}
