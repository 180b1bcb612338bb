import { withoutInvisible } from '#kernel'

const MAX_LENGTH = 80

/**
 * A name given by a user, fit for a mail that somebody else receives: one line, no address that a mail program would
 * make a link of, nothing invisible, of bounded length. `fallback` when nothing is left.
 */
export function safeName(name: string, fallback: string): string {
  // Look-alike forms (`ｅｖｉｌ．ｃｏｍ`) become the letters that a mail program would read in them.
  const shown = withoutInvisible(name.slice(0, 2000).toWellFormed().normalize('NFKC'))
  const clean = shown
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .replace(/[a-z][a-z\d+.-]*:\/\/\S*/gi, ' ')
    .replace(/\b(?:https?|mailto|tel|sms|javascript|data|www\d*)[:.]\S*/gi, ' ')
    .replace(/[<>]/g, ' ')
    .replace(/@/g, ' at ')
    // A name such as Booking.com stays legible, but is no host any more.
    .replace(/(?<=[\p{L}\p{N}\p{M}-])[.。｡](?=[\p{L}\p{N}]{2})/gu, '·')
    .replace(/\s+/g, ' ')
    .trim()
  return Array.from(clean).slice(0, MAX_LENGTH).join('').trim() || fallback
}
