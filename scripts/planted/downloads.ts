import type { Plant } from './plant.ts'

const HTTP = 'core/src/kernel/http'
const STORAGE = 'core/src/kernel/storage'
const DOWNLOAD = 'core/src/modules/files/download'
const sending = [`${HTTP}/send-stream.test.ts`]
const streams = ['core/test/kernel-streams.test.ts']
const lengths = [`${DOWNLOAD}/lengths.test.ts`]

/** What clients take of an answer, and what they keep others from. */
export const plants: Plant[] = [
  {
    guard: 'A client that takes nothing of its answer for minutes is cut off',
    file: `${HTTP}/send-stream.ts`,
    find: 'else if (isWaiting && !moves)',
    replace: 'else if (isWaiting && !moves && ms === 0)',
    tests: sending,
  },
  {
    guard: 'A client that takes its answer slowly is left alone',
    file: `${HTTP}/send-stream.ts`,
    find: 'else if (isWaiting && !moves)',
    replace: 'else if (isWaiting)',
    tests: sending,
  },
  {
    guard: 'No answer has more bytes than it announced: they would be read as the next one',
    file: `${HTTP}/stream-length.ts`,
    find: 'this.#bytes > this.#announced)',
    replace: 'this.#bytes < 0)',
    tests: streams,
  },
  {
    guard: 'No answer ends before the bytes that it announced: the next one would be read as its rest',
    file: `${HTTP}/stream-length.ts`,
    find: 'announced !== null && this.#bytes < announced ?',
    replace: 'announced !== null && this.#bytes < 0 ?',
    tests: streams,
  },
  {
    guard: 'A download that finds another length says that the file is lost',
    file: `${DOWNLOAD}/download.ts`,
    find: 'if (!(error instanceof WrongLength)) return',
    replace: 'if (error instanceof WrongLength) return',
    tests: lengths,
  },
  {
    guard: 'A client has so many downloads open at once without a credential',
    file: 'core/src/kernel/rates/at-once.ts',
    find: 'if (held >= max) return false',
    replace: 'if (held < 0) return false',
    tests: streams,
  },
  {
    guard: 'A download that has ended, or whose client is gone, makes room for the next',
    file: 'core/src/kernel/rates/at-once.ts',
    find: "raw.once('finish', end).once('close', end)",
    replace: "raw.once('finish', end)",
    tests: streams,
  },
  {
    guard: 'What clients read, and stop reading, keeps nothing else from the bucket',
    file: `${STORAGE}/s3.ts`,
    find: '(isForClient ? forClients : client)',
    replace: '(isForClient ? client : forClients)',
    tests: [`${STORAGE}/s3-faults.test.ts`],
  },
  {
    guard: 'A link ends when its giver is disabled everywhere',
    file: `${DOWNLOAD}/links.ts`,
    find: "|| user?.status !== 'active'",
    replace: '',
    tests: [`${DOWNLOAD}/links.test.ts`],
  },
]
