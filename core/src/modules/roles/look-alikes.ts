import { withoutInvisible } from '#kernel'
import { SYSTEM_ROLES } from './system-roles.ts'

// Small letters of other scripts, digits and signs, each by the Latin letter that it is taken for at a glance; only the
// letters that the names of system roles are made of, and what looks like those.
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
 * What a name looks like at a glance: letters of other scripts, digits and signs as the Latin letter that they resemble,
 * nothing invisible, no accents, no spaces or punctuation.
 */
function skeleton(name: string): string {
  const plain = withoutInvisible(name).normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase()
  const latin = Array.from(plain, (letter) => LATIN.get(letter) ?? letter).join('')
  // Pairs that read as one letter, then whatever stands between letters.
  return latin
    .replaceAll('vv', 'w')
    .replaceAll('rn', 'm')
    .replace(/[^\p{L}\p{N}]/gu, '')
}

const systemRoles = new Map(SYSTEM_ROLES.map(({ key }) => [skeleton(key), key]))

/** The system role that a name would be taken for; undefined for a name that stands for itself. */
export function findLookAlike(name: string): string | undefined {
  return systemRoles.get(skeleton(name)) ?? findByPlainLetters(name)
}

/** There are more look-alikes than any list has: where most letters are those of a system role, the others count for any. */
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
