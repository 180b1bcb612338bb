import { copyBetween, type FileStorage, isSame, type Move, measure, type StoredKind } from '#kernel'

/** Moves archives: what a storage has of them says where they are. */
export const storedArchives: StoredKind = {
  name: 'audit archives',
  foldersOf: (tenantId) => [`audit/${tenantId}`],
  async *list({ storages }, move) {
    const others = storages.all.filter(({ backend }) => backend !== move.to.backend)
    for (const { backend } of others) {
      if (move.from !== null && move.from !== backend) continue
      const from = move.open(backend)
      for await (const { key, bytes } of from.list(move.tenantId === null ? 'audit' : `audit/${move.tenantId}`))
        yield { key, bytes, move: () => moveArchive(from, move, key) }
    }
  },
}

async function moveArchive(from: FileStorage, { to }: Move, key: string): Promise<boolean> {
  if (!(await from.has(key))) return false
  // A month has one archive. Two that differ are for people to look at: neither is written over the other.
  if ((await to.has(key)) && !isSame(await measure(from.read(key)), await measure(to.read(key))))
    throw new Error(`${from.backend} and ${to.backend} have different archives under this name`)
  await copyBetween(from, to, key)
  await from.delete(key)
  return true
}
