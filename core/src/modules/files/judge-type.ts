import { setTimeout as delay } from 'node:timers/promises'
import { fileTypeFromBuffer } from 'file-type'
import { extensionOf, type FileKind, isKnownType, kindOf, mediaTypeOf } from './kinds.ts'
import { beginningOf, isText } from './text-bytes.ts'

/** So many of the first bytes of a file say what it is; fewer are enough where the file has fewer. */
export const HEAD_BYTES = 16_384

/** What is known of a file when its content begins to arrive. */
export interface JudgedFile {
  /** As `readFilename` gave it. */
  filename: string
  /** The media type that the sender declares, if any. */
  declared?: string | undefined
  /** The first bytes: `HEAD_BYTES`, or the whole of a shorter file. */
  head: Uint8Array
  /** Extensions that are taken, in lower case, without dots. */
  allowed: readonly string[]
}

/** The type that the file is served with, or a sentence that says why it is not taken. */
export type Judgement = { contentType: string } | { problem: string }

/** What an extension that no kind knows is served as: no browser looks into it. */
const OPAQUE = 'application/octet-stream'
/** Declared by programs that do not know. */
const SAYS_NOTHING = new Set([OPAQUE, 'binary/octet-stream', 'application/x-download', 'application/force-download'])
/** Formats that are written in letters alone, and no text to read. */
const WRITTEN = new Set(['application/pdf', 'application/rtf', 'application/postscript', 'application/eps'])
/** What many formats are made of that have an extension of their own. */
const BUILDING_BLOCKS = new Set(['application/zip', 'application/x-cfb', 'application/gzip', 'application/xml'])
/** Far longer than it ever takes: the bytes are those of a stranger. */
const DETECTION_MS = 5_000

/**
 * Whether the extension of a file is taken, and its declared type and its content agree with it. What cannot be told is a
 * no, except in files that are made of text, and in those whose extension an operator has added to the known ones.
 */
export async function judgeType({ head, ...named }: JudgedFile): Promise<Judgement> {
  const judged = judgeName(named)
  if ('problem' in judged) return judged
  const extension = extensionOf(named.filename)
  const kind = kindOf(extension)
  if (head.length === 0) return { problem: 'The file is empty.' }
  try {
    const found = await recognise(head)
    const fits = kind ? fitsKind(kind, head, found) : fitsUnknown(extension, head, found)
    if (fits) return judged
    const what = found && `It looks like a file named .${found.extension}.`
    return { problem: `The content is not that of a file named .${extension}.${what ? ` ${what}` : ''}` }
  } catch {
    // No bytes may end the request otherwise, whatever they do to those who look at them.
    return { problem: `The content could not be recognised as that of a file named .${extension}.` }
  }
}

/** What can be said before there is any content: whether the extension is taken, and the declared type agrees with it. */
export function judgeName({ filename, declared, allowed }: Omit<JudgedFile, 'head'>): Judgement {
  const extension = extensionOf(filename)
  if (!extension || !allowed.includes(extension)) return { problem: problemOfExtension(extension, allowed) }
  const kind = kindOf(extension)
  if (isDeclaredWell(declared, kind)) return { contentType: kind?.contentType ?? OPAQUE }
  return { problem: `The declared type is not that of a file named .${extension}.` }
}

function problemOfExtension(extension: string, allowed: readonly string[]): string {
  const taken = allowed.length > 0 ? ` These are taken: ${allowed.join(', ')}.` : ''
  return `${extension ? `Files named .${extension} are not taken.` : 'The name of the file needs an extension.'}${taken}`
}

function isDeclaredWell(declared: string | undefined, kind: FileKind | undefined): boolean {
  if (declared === undefined || declared.trim() === '') return true
  const type = mediaTypeOf(declared)
  if (type === undefined) return false
  if (SAYS_NOTHING.has(type)) return true
  return kind ? type === kind.contentType || kind.aliases.includes(type) : !isKnownType(type)
}

/** What the first bytes show. */
interface Found {
  extension: string
  mediaType: string
}

async function recognise(head: Uint8Array): Promise<Found | undefined> {
  // What is inside is not looked for: that would mean to unpack it.
  if (beginsWith(head, [0x1f, 0x8b, 0x08])) return { extension: 'gz', mediaType: 'application/gzip' }
  const found = await withinTime(fileTypeFromBuffer(head))
  if (found) return { extension: found.ext, mediaType: mediaTypeOf(found.mime) ?? found.mime }
  // Its directory stands anywhere in the file, mostly at the end.
  const isTiff = beginsWith(head, [0x49, 0x49, 0x2a, 0]) || beginsWith(head, [0x4d, 0x4d, 0, 0x2a])
  return isTiff ? { extension: 'tif', mediaType: 'image/tiff' } : undefined
}

async function withinTime<T>(work: Promise<T>): Promise<T> {
  const done = new AbortController()
  const late = delay(DETECTION_MS, undefined, { signal: done.signal }).then(() => {
    throw new Error('The content was looked at for too long')
  })
  // It also fails by being called off, when nobody listens any more.
  late.catch(() => {})
  try {
    return await Promise.race([work, late])
  } finally {
    done.abort()
  }
}

function fitsKind(kind: FileKind, head: Uint8Array, found: Found | undefined): boolean {
  if (kind.bytes === 'text') return isReadable(head, found) && (!kind.begins || kind.begins.test(beginningOf(head)))
  if (!found) return false
  // The shortest marks are letters that a text may begin with.
  if (kind.bytes === 'binary' && isText(head)) return false
  return [kind.contentType, ...kind.aliases, ...kind.containers].includes(found.mediaType)
}

/** An extension that an operator added. What is known to have another one is refused all the same. */
function fitsUnknown(extension: string, head: Uint8Array, found: Found | undefined): boolean {
  if (!found || found.extension === extension) return true
  return BUILDING_BLOCKS.has(found.mediaType) || isReadable(head, found)
}

/** Text, whatever its first letters seem to be the mark of. */
function isReadable(head: Uint8Array, found: Found | undefined): boolean {
  return isText(head) && !(found && WRITTEN.has(found.mediaType))
}

function beginsWith(head: Uint8Array, mark: readonly number[]): boolean {
  return mark.every((byte, index) => head[index] === byte)
}
