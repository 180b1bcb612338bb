import { withoutInvisible } from '#kernel'
import { SYSTEM_ROLES } from './system-roles.ts'

// Lower-case letters of other scripts, digits and signs, each with the Latin letter that it resembles: only letters
// that occur in names of system roles, and what resembles those.
const TAKEN_FOR: Record<string, string> = {
  a: 'аαɑ4ａ@ᴀ',
  d: 'ԁɗᏧｄ',
  e: 'еεҽ3ｅᴇєℯ',
  f: 'ƒſẝꞙｆ',
  g: 'ɡցｇԍ9ɢ',
  i: 'іιıӏ1lł|ｉɪɩ׀',
  m: 'мｍᴍ',
  n: 'пηոռｎɴ',
  o: 'оοօ0ｏᴏøөσ໐০०٥۵ഠ',
  r: 'гᴦｒʀяꮁ',
  s: 'ѕƽ5$ｓꜱ',
  t: 'тτ7ｔᴛŧ',
  v: 'ѵνυｖᴠ',
  w: 'ԝωшɯѡｗᴡա',
}

const LATIN = new Map(
  Object.entries(TAKEN_FOR).flatMap(([latin, others]) => Array.from(others, (other) => [other, latin] as const)),
)

/**
 * The skeleton of a name: look-alike characters replaced by the Latin letters that they resemble, without accents,
 * spaces, punctuation and invisible characters.
 */
function skeleton(name: string): string {
  const plain = withoutInvisible(name).normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase()
  const latin = Array.from(plain, (letter) => LATIN.get(letter) ?? letter).join('')
  // Replaces pairs that read as one letter, then removes everything that is no letter.
  return latin
    .replaceAll('vv', 'w')
    .replaceAll('rn', 'm')
    .replace(/[^\p{L}\p{N}]/gu, '')
}

const systemRoles = new Map(SYSTEM_ROLES.map(({ key }) => [skeleton(key), key]))

/** The system role that a name could be mistaken for; undefined when there is none. */
export function findLookAlike(name: string): string | undefined {
  return systemRoles.get(skeleton(name)) ?? findByPlainLetters(name)
}

/**
 * The table of look-alikes cannot be complete: where most letters match a system role, the remaining characters match
 * anything.
 */
function findByPlainLetters(name: string): string | undefined {
  const letters = Array.from(
    withoutInvisible(name)
      .normalize('NFKD')
      .replace(/[\p{M}\s]/gu, '')
      .toLowerCase(),
  )
  const isPlain = (letter: string | undefined) => letter !== undefined && /[a-z]/.test(letter)
  return SYSTEM_ROLES.map(({ key }) => key).find(
    (key) =>
      letters.length === key.length &&
      letters.filter(isPlain).length * 2 > key.length &&
      letters.every((letter, at) => !isPlain(letter) || letter === key[at]),
  )
}
