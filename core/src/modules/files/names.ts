import { showsSomething, withoutInvisible } from '#kernel'

/** A name as it was given, and as it is safe on any disk and in any header; or a sentence that says what is wrong. */
export type Filename = { original: string; filename: string } | { problem: string }

const MAX_LENGTH = 255
/** Of the name of a file on the usual disks. */
const MAX_BYTES = 255

// Scripts in which letters take other forms beside U+200C and U+200D: without these the name is misspelt.
const JOINING =
  '[\\p{scx=Arab}\\p{scx=Syrc}\\p{scx=Deva}\\p{scx=Beng}\\p{scx=Guru}\\p{scx=Gujr}\\p{scx=Orya}\\p{scx=Taml}' +
  '\\p{scx=Telu}\\p{scx=Knda}\\p{scx=Mlym}\\p{scx=Sinh}\\p{scx=Khmr}\\p{scx=Mymr}]'
/** Invisible characters that hold an emoji or a word together. */
const HELD_TOGETHER = new RegExp(`(\\p{RGI_Emoji}|(?<=${JOINING})[\\u200c\\u200d](?=${JOINING}))`, 'v')

/** Names of devices on Windows, whatever follows their first dot. */
const DEVICE = /^(con|prn|aux|nul|conin\$|conout\$|clock\$|com[\d¹²³]|lpt[\d¹²³]) *(\.|$)/i

/** Reads the name that a sender gives to a file. */
export function readFilename(given: string | null | undefined): Filename {
  if (!given) return { problem: 'The file needs a name.' }
  if (given.length > MAX_LENGTH) return { problem: `The name of the file must have at most ${MAX_LENGTH} characters.` }
  if (!given.isWellFormed() || given.includes('\0'))
    return { problem: 'The name of the file must not contain half characters or NUL.' }
  const filename = safeName(given)
  if (!showsSomething(filename)) return { problem: 'The file needs a name, and not only a path, dots or blanks.' }
  if (filename.length > MAX_LENGTH || Buffer.byteLength(filename) > MAX_BYTES)
    return { problem: `The name of the file must have at most ${MAX_BYTES} bytes in UTF-8.` }
  return { original: given, filename }
}

/** The last part of a path, with nothing in it that a disk, a shell of Windows or an eye takes for something else. */
function safeName(given: string): string {
  const last = given.split(/[/\\]/).at(-1) ?? ''
  const shown = last
    .replace(/\p{Cc}/gu, '')
    .split(HELD_TOGETHER)
    .map((part, index) => (index % 2 === 1 ? part : withoutInvisible(part)))
    .join('')
    .normalize('NFC')
  const plain = shown
    .replace(/[<>:"|?*]/g, '_')
    .replace(/\p{Z}+/gu, ' ')
    .replace(/^ +|[. ]+$/g, '')
  return DEVICE.test(plain) ? `_${plain}` : plain
}
