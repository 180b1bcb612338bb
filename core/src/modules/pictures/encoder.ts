import {
  createWorkQueue,
  defineResource,
  type FormUpload,
  MINUTES,
  rateLimited,
  requestTimeout,
  storageFull,
  unavailable,
  type WorkQueue,
} from '#kernel'
import { type EncodedPicture, encodePicture } from './encode.ts'
import { readPicture, type SentPicture } from './read.ts'
import type { PictureKind } from './variants.ts'

/** Each holds up to twice its bytes in memory while it comes in. */
const ARRIVING = 8
/** Whoever sends slowly holds a place for long: so nobody has more of them. */
const OF_A_PERSON = 2
/** Each takes a thread of libuv's four, of which passwords take three, and up to 400 MiB for the largest picture. */
const ENCODING = 1
const WAITING = 100
const LONGEST_ARRIVAL_MS = 1 * MINUTES

/** A form without other fields. */
export type PictureForm = FormUpload<unknown>

export interface Encoder {
  arriving: WorkQueue
  encoding: WorkQueue
  /** How many pictures are being taken in of whom. */
  senders: Map<string, number>
}

/** What routes that take a picture may answer beside what all routes do. */
export const pictureErrors = [requestTimeout, storageFull]

/** Bounds what pictures cost a process, whoever sends how many. */
export const pictureEncoder = defineResource<Encoder>({
  name: 'pictures.encoder',
  create: () => ({
    arriving: createWorkQueue({ concurrency: ARRIVING, waiting: WAITING, full: tooMany }),
    encoding: createWorkQueue({ concurrency: ENCODING, waiting: ARRIVING, full: tooMany }),
    senders: new Map(),
  }),
  close: async ({ arriving, encoding }) => {
    await arriving.close()
    await encoding.close()
  },
})

const SOON = { 'retry-after': '5' }

const tooMany = () => unavailable({ detail: 'Too many pictures are being taken in at the moment', headers: SOON })

const tooManyOfOne = () =>
  rateLimited({
    detail: `${OF_A_PERSON} pictures of yours are being taken in at the moment`,
    members: { violated_policies: ['pictures'] },
    headers: SOON,
  })

/**
 * Takes a picture of `sender` in and makes all its variants. Throws what `readPicture` and `encodePicture` throw, and what the
 * form says of its other parts; 408 for one that takes longer than a minute to arrive, 429 when more than two of one sender
 * come at once, 503 when too many of all do.
 */
export function takeIn(
  encoder: Encoder,
  sender: string,
  kind: PictureKind,
  form: PictureForm,
): Promise<EncodedPicture> {
  return inTurn(encoder, sender, () =>
    encoder.arriving.run(async () => {
      const picture = await receive(form)
      return encoder.encoding.run(() => encodePicture(kind, picture))
    }),
  )
}

/** Whoever waits for a place counts as well: those places are as few. */
async function inTurn<T>({ senders }: Encoder, sender: string, work: () => Promise<T>): Promise<T> {
  const others = senders.get(sender) ?? 0
  if (others >= OF_A_PERSON) throw tooManyOfOne()
  senders.set(sender, others + 1)
  try {
    return await work()
  } finally {
    const left = (senders.get(sender) ?? 1) - 1
    if (left > 0) senders.set(sender, left)
    else senders.delete(sender)
  }
}

/** A connection that falls silent is ended by the kernel; one that drips, before the picture, in it or behind it, holds no place for long. */
async function receive(form: PictureForm): Promise<SentPicture> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(requestTimeout()), LONGEST_ARRIVAL_MS)
  try {
    return await Promise.race([receiveAll(form), late.promise])
  } finally {
    clearTimeout(timer)
  }
}

async function receiveAll(form: PictureForm): Promise<SentPicture> {
  const { content } = await form.file()
  const picture = await readPicture(content)
  // Only now it is known that nothing stands behind it that does not belong there.
  await form.fields()
  return picture
}
