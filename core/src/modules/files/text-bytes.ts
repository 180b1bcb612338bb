/** Everything below a blank but tab, line feed, form feed and carriage return; and DEL. */
const CONTROLS = new Set([...Array(32).keys(), 127].filter((code) => ![9, 10, 12, 13].includes(code)))

/**
 * Whether the first bytes of a file are those of a text: UTF-16 with its mark, UTF-8, or one of the older encodings with
 * a byte for each letter, which is known only by what it lacks: control characters, of which other files are full.
 */
export function isText(head: Uint8Array): boolean {
  const wide = wideText(head)
  if (wide !== undefined) return hasNoControls(Array.from(wide, (letter) => letter.charCodeAt(0)))
  return hasNoControls(head)
}

/** The first letters of a text, with its mark removed; bytes of older encodings as they come. */
export function beginningOf(head: Uint8Array): string {
  return wideText(head) ?? new TextDecoder('utf-8').decode(head.subarray(0, 512))
}

/** What UTF-16 with a mark says; undefined for other bytes. */
function wideText(head: Uint8Array): string | undefined {
  const encoding = markOf(head)
  if (!encoding) return undefined
  try {
    // As a stream, because the end may cut a letter in two.
    return new TextDecoder(encoding, { fatal: true }).decode(head, { stream: true })
  } catch {
    return undefined
  }
}

function markOf([first, second]: Uint8Array): string | undefined {
  if (first === 0xff && second === 0xfe) return 'utf-16le'
  return first === 0xfe && second === 0xff ? 'utf-16be' : undefined
}

function hasNoControls(codes: Iterable<number>): boolean {
  for (const code of codes) if (CONTROLS.has(code)) return false
  return true
}
