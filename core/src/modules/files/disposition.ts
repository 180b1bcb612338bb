/**
 * `Content-Disposition` (RFC 6266) for a name in any script: in ASCII for old clients, and beside it whole where that is
 * another one. No name can end the header, or its own quotes.
 */
export function contentDisposition(kind: 'attachment' | 'inline', filename: string): string {
  const name = filename.toWellFormed().replace(/[\p{Cc}/\\]/gu, '_') || 'file'
  const plain = plainName(name)
  const whole = plain === name ? '' : `; filename*=UTF-8''${encodeName(name)}`
  return `${kind}; filename="${plain}"${whole}`
}

/** Letters without their accents, and a `_` for what is left beyond ASCII, for quotes, and for what clients decode. */
function plainName(name: string): string {
  return name
    .normalize('NFD')
    .replace(/\p{Mn}/gu, '')
    .replace(/[^\x20-\x7e]+/g, '_')
    .replace(/["%]/g, '_')
}

/** The form of RFC 8187, which leaves fewer characters as they are than `encodeURIComponent` does. */
function encodeName(name: string): string {
  return encodeURIComponent(name).replace(/['()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
}
