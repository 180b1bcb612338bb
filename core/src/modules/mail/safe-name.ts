import { withoutInvisible } from '#kernel'

const MAX_LENGTH = 80
const MOST_WORDS = 8

/** Parts that a mail program turns into a link, or a person would act on: a host, an address, a telephone number. */
const HOST = /(?<=[\p{L}\p{N}\p{M}-])[.。｡](?=[\p{L}\p{N}]{2})/gu
const SCHEME = /[a-z][a-z\d+.-]*:\/\/\S*/gi
const SCHEME_WORD = /\b(?:https?|mailto|tel|sms|javascript|data|www\d*)[:.]\S*/gi
const NUMBER = /[+(]*\p{Nd}(?:[\s()./·‐-―−*#-]*\p{Nd}){4,}/gu
const VANITY_NUMBER = /\p{Nd}[-. ]\p{Nd}{3}[-. ]?\p{L}/u
/** A word in the encoding of mail headers (RFC 2047), which some programs decode wherever it stands. */
const ENCODED_WORD = /=\?[^?\s]*\?[^?\s]*\?[^?]*\?=|=\?|\?=/g
/** A full stop after a word that is no abbreviation, and other punctuation of sentences. */
const SENTENCE = /(?:\p{L}{5,}[.]|[!?…。！？:;])\s+\p{L}/u

/**
 * A name given by a user, made safe for mails to other people: one line of bounded length without invisible characters
 * and without anything that mail programs turn into a link. `fallback` when nothing is left.
 */
export function safeName(name: string, fallback: string): string {
  const clean = visible(name)
    .replace(ENCODED_WORD, ' ')
    .replace(SCHEME, ' ')
    .replace(SCHEME_WORD, ' ')
    .replace(NUMBER, ' ')
    .replace(/[<>]/g, ' ')
    .replace(/@/g, ' at ')
    // A name such as Booking.com stays legible but is no host name any more.
    .replace(HOST, '·')
  return bounded(clean) || fallback
}

/**
 * As `safeName`, for a name from an unverified source: `fallback` when the text says more than a name, because the rest
 * of `Your account was limited. Call …` is no name either.
 */
export function plainName(name: string, fallback: string): string {
  const shown = visible(name)
  const tells = [HOST, SCHEME, SCHEME_WORD, NUMBER, VANITY_NUMBER, ENCODED_WORD, SENTENCE, /[@<>]/]
  const isMore = tells.some((tell) => shown.search(tell) >= 0) || shown.trim().split(' ').length > MOST_WORDS
  return isMore ? fallback : safeName(name, fallback)
}

/**
 * The sender's name of a mail: the tenant's name without anything that a mail program could read as an address,
 * followed by the name of the product.
 */
export function senderName(name: string, product: string): string {
  const own = ownSenderName(name)
  return own ? `${own} via ${product}` : product
}

/** The same of a tenant whose mails come from its own domain: its name alone, or nothing. */
export function ownSenderName(name: string): string {
  const clean = visible(name)
    .replace(ENCODED_WORD, ' ')
    .replace(/\S*@\S*/g, ' ')
    // Brackets and quotation marks of every script; the apostrophe of O’Brien is none.
    .replace(/[\p{Ps}\p{Pe}"<>«»‹›“”„‟\\|`=]/gu, ' ')
  return safeName(clean, '')
}

/** A text as a reader sees it: look-alike forms (`ｅｖｉｌ．ｃｏｍ`) as the letters they resemble, on one line. */
function visible(text: string): string {
  const shown = withoutInvisible(text.slice(0, 2000).toWellFormed().normalize('NFKC'))
  return shown.replace(/[\p{Co}\p{Cn}]/gu, '').replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ')
}

function bounded(text: string): string {
  const clean = text.replace(/\s+/g, ' ').trim()
  return Array.from(clean).slice(0, MAX_LENGTH).join('').trim()
}
