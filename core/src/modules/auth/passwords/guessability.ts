/**
 * Bits counted for a character that no pattern predicts: one of ten. More would favour passwords from a large alphabet.
 */
const CHARACTER_BITS = Math.log2(10)

/** About one random text in ten thousand scores this many bits below its full cost. */
const MARGIN_BITS = 16
const ENOUGH_CHARACTERS = 12

/** True when runs and repetitions make a text more predictable than chance explains. */
export function isPattern(text: string): boolean {
  const length = Math.min(Array.from(text).length, ENOUGH_CHARACTERS)
  return bitsOf(text) < length * CHARACTER_BITS - MARGIN_BITS
}

const RUN_MIN = 3
const RUN_BITS = 3
const OBVIOUS_START_BITS = 1.5
const COPY_BITS = 2
const USUAL_END_BITS = 1.5

/**
 * The fewest bits that describe a text to somebody who expects runs (`abcd`, `4321`, `1111`, `qwert`, `1qaz`) and
 * repetitions of earlier parts: the minimum over all ways to cut the text into such parts and single characters.
 */
export function bitsOf(text: string): number {
  const characters = Array.from(text)
  const keys = characters.map(keyOf)
  const best: number[] = [0, ...characters.map(() => Number.POSITIVE_INFINITY)]
  const reach = (end: number, bits: number) => {
    if (bits < (best[end] ?? 0)) best[end] = bits
  }
  const copies = copiesIn(characters)
  characters.forEach((character, start) => {
    const before = best[start] ?? 0
    reach(start + 1, before + (isUsualEnd(character, start, characters) ? USUAL_END_BITS : CHARACTER_BITS))
    for (const { end, bits } of runsFrom(keys, start)) reach(end, before + bits)
    for (const { length, distance } of copies[start] ?? []) {
      reach(start + length, before + COPY_BITS + Math.log2(distance) + Math.log2(length))
    }
  })
  return best[characters.length] ?? 0
}

/** The `1` or `!` that people append to satisfy rules of composition. */
const isUsualEnd = (character: string, index: number, characters: readonly string[]) =>
  index === characters.length - 1 && '1!'.includes(character)

interface Key {
  code: number
  x: number
  y: number
  isShifted: boolean
}

const ROWS = ['1234567890', 'qwertyuiop', 'asdfghjkl', 'zxcvbnm']
const UNSHIFTED = new Map(Array.from('!@#$%^&*()', (sign, index) => [sign, ROWS[0]?.[index] ?? sign]))
const PLACES = new Map(ROWS.flatMap((row, y) => Array.from(row, (key, x) => [key, { x, y }] as const)))

function keyOf(character: string): Key {
  const bare = UNSHIFTED.get(character) ?? character.toLowerCase()
  const { x, y } = PLACES.get(bare) ?? { x: Number.NaN, y: Number.NaN }
  return { code: bare.codePointAt(0) ?? 0, x, y, isShifted: bare !== character }
}

/** Where a run in one direction could end, by the order of characters or by the keyboard. */
function* runsFrom(keys: readonly Key[], start: number): Generator<{ end: number; bits: number }> {
  for (const stepOf of [stepInOrder, stepOnKeyboard]) {
    const step = stepOf(keys, start)
    if (step === null) continue
    let bits = RUN_BITS + (isObviousStart(keys[start]) ? OBVIOUS_START_BITS : CHARACTER_BITS)
    for (let end = start + 1; end < keys.length && stepOf(keys, end - 1) === step; ) {
      if (keys[end]?.isShifted !== keys[end - 1]?.isShifted) bits++
      end++
      if (end - start >= RUN_MIN) yield { end, bits: bits + Math.log2(end - start) }
    }
  }
}

function stepInOrder(keys: readonly Key[], index: number): string | null {
  const distance = (keys[index + 1]?.code ?? Number.NaN) - (keys[index]?.code ?? Number.NaN)
  return Math.abs(distance) <= 1 ? String(distance) : null
}

function stepOnKeyboard(keys: readonly Key[], index: number): string | null {
  const [from, to] = [keys[index], keys[index + 1]]
  if (!from || !to) return null
  const [dx, dy] = [to.x - from.x, to.y - from.y]
  return Math.abs(dx) <= 1 && Math.abs(dy) <= 1 ? `${dx},${dy}` : null
}

const OBVIOUS = new Set(Array.from('190aqz', (character) => character.codePointAt(0)))
const isObviousStart = (key: Key | undefined) => OBVIOUS.has(key?.code)

/** For each position, the longest repetitions of the text `distance` before it. */
function copiesIn(characters: readonly string[]): { length: number; distance: number }[][] {
  const found: { length: number; distance: number }[][] = characters.map(() => [])
  for (let distance = 1; distance < characters.length; distance++) {
    let length = 0
    for (let index = characters.length - 1; index >= distance; index--) {
      length = characters[index] === characters[index - distance] ? length + 1 : 0
      if (length >= RUN_MIN) found[index]?.push({ length, distance })
    }
  }
  return found
}
