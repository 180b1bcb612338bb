import type { FileStorage } from '#kernel'

/** What a storage has of a picture, also what an earlier version kept: sizes in bytes by key. */
export async function sizesOf(storage: FileStorage, id: string): Promise<Map<string, number>> {
  const sizes = new Map<string, number>()
  for await (const { key, bytes } of storage.list(`pictures/${id}`)) sizes.set(key, bytes)
  return sizes
}

/** The first of these files that a storage does not have, or in another size; undefined when it has all of them. */
export async function lackOf(
  storage: FileStorage,
  id: string,
  files: ReadonlyMap<string, number>,
): Promise<string | undefined> {
  const kept = await sizesOf(storage, id)
  return [...files].find(([key, bytes]) => kept.get(key) !== bytes)?.[0]
}
