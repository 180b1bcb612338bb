/** What moves a terminal's cursor, or turns the direction of writing, and what breaks a line. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu

/** A text of a stranger as it can be shown: in one line, without anything that a terminal obeys, and not longer than so many characters. */
export function printable(text: string, most = 200): string {
  const shown = text.replaceAll(UNSEEN, '\ufffd')
  return shown.length <= most ? shown : `${shown.slice(0, most).toWellFormed()}…`
}
